#include "scion/calibration/paired_layers.h"

#include "scion/core/error.h"

namespace scion {
namespace {

at::Tensor as_matrix(const at::Tensor& weight) {
  return weight.detach().to(at::kDouble).view({weight.size(0), -1});
}

// An encoder may scale its subsampled frames by a factor that depends on its width (√width); the
// student's projection compensates for the smaller factor.
double input_scale(const Transducer& teacher, const Transducer& student) {
  return std::sqrt(static_cast<double>(teacher.config().squared_input_scale()) /
                   static_cast<double>(student.config().squared_input_scale()));
}

// Both models must have heard the same labels.
void require_same_pieces(const Plan& plan) {
  const LeafChoice* vocabulary = plan.find_leaf("vocabulary");
  if (vocabulary == nullptr) return;
  bool same = vocabulary->whole();
  for (size_t i = 0; i < vocabulary->indices.size(); ++i)
    same = same && vocabulary->indices[i] == static_cast<int64_t>(i);
  if (!same)
    throw UserError("teacher and student write with different pieces",
                    "select with the teacher's tokenizer to calibrate");
}

class Finder : public InputObserver {
 public:
  Finder(const Transducer& teacher, const Transducer& student, const Plan& plan)
      : plan_(plan), teacher_(teacher.registry()), input_scale_(input_scale(teacher, student)) {
    for (const Parameter& parameter : student.registry().all())
      parameters_[parameter.tensor.unsafeGetTensorImpl()] = &parameter;
  }

  void linear(const LinearMap& map, const at::Tensor& x) override {
    const Parameter& first = parameter(map.weights[0]);
    ReadOut found{.name = first.name, .segment = segment, .student = map};
    found.student.residual = at::Tensor();
    if (!take_weights(map, found) || !take_bias(map, found)) return;
    if (found.name == "encoder.subsampling.projection.weight") {
      found.teacher_weight *= input_scale_;
      found.teacher_bias *= input_scale_;
    }
    found.values = x.numel() / found.student_inputs();
    if (!map.depthwise) found.values *= found.outputs.numel();
    result.order.push_back({false, result.maps.size()});
    result.maps.push_back(std::move(found));
  }

  void batch_norm(const at::Tensor& running_mean, const at::Tensor& running_variance,
                  const at::Tensor&) override {
    result.order.push_back({true, result.norms.size()});
    result.norms.push_back({segment, running_mean, running_variance});
  }

  ModelPart segment = ModelPart::subsampling;
  ReadOuts result;

 private:
  const Parameter& parameter(const at::Tensor& tensor) const {
    return *parameters_.at(tensor.unsafeGetTensorImpl());
  }

  // nullptr where the student's tensor is not the teacher's.
  const Parameter* counterpart(const Parameter& student) const {
    const TensorChoice* choice = plan_.tensor(student.name);
    if (choice == nullptr || choice->action == TensorChoice::Action::random) return nullptr;
    return teacher_.find(choice->teacher);
  }

  // False where the plan leaves one random.
  bool take_weights(const LinearMap& map, ReadOut& found) const {
    std::vector<at::Tensor> matrices;
    int64_t inputs = 0;  // of those before
    for (const at::Tensor& weight : map.weights) {
      const Parameter& student = parameter(weight);
      const Parameter* teacher = counterpart(student);
      if (teacher == nullptr) return false;
      if (matrices.empty()) {
        const DimensionChoice rows = plan_.dimension(*teacher, student, 0);
        found.teacher_key = teacher->tensor;
        found.outputs = at::tensor(rows.indices, at::kLong);
        found.output_scales = at::tensor(rows.scales, at::kDouble);
      }
      if (map.recurrent && matrices.size() + 1 == map.weights.size())
        found.memory =
            at::tensor(plan_.dimension(*teacher, student, 1).indices, at::kLong) + inputs;
      matrices.push_back(as_matrix(teacher->tensor));
      inputs += matrices.back().size(1);
    }
    found.teacher_weight =
        at::cat(matrices, 1).index_select(0, found.outputs) * found.output_scales.unsqueeze(1);
    return true;
  }

  bool take_bias(const LinearMap& map, ReadOut& found) const {
    if (!map.bias.defined()) return true;
    const Parameter* teacher = counterpart(parameter(map.bias));
    if (teacher == nullptr) return false;
    found.teacher_bias = teacher->tensor.detach().to(at::kDouble).index_select(0, found.outputs) *
                         found.output_scales;
    return true;
  }

  PlanLookup plan_;
  const Registry& teacher_;
  double input_scale_;
  std::unordered_map<const void*, const Parameter*> parameters_;
};

}  // namespace

int64_t ReadOut::student_inputs() const {
  int64_t inputs = 0;
  for (const at::Tensor& weight : student.weights) inputs += weight.numel() / weight.size(0);
  return inputs;
}

int64_t ReadOut::parameters() const {
  int64_t parameters = student.bias.defined() ? student.bias.numel() : 0;
  for (const at::Tensor& weight : student.weights) parameters += weight.numel();
  return parameters;
}

AffineMap ReadOut::current() const {
  const int64_t groups_at = student.depthwise ? 1 : 0;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& weight : student.weights) parts.push_back(as_matrix(weight));
  AffineMap map{at::cat(parts, 1).unsqueeze(groups_at), {}};
  if (student.bias.defined()) map.bias = student.bias.detach().to(at::kDouble).unsqueeze(groups_at);
  return map;
}

void ReadOut::replace(const AffineMap& map) const {
  const at::NoGradGuard no_grad;
  const at::Tensor matrix = map.weight.flatten(0, 1);
  int64_t first = 0;
  for (const at::Tensor& weight : student.weights) {
    const int64_t inputs = weight.numel() / weight.size(0);
    weight.copy_(matrix.narrow(1, first, inputs).reshape(weight.sizes()));
    first += inputs;
  }
  if (student.bias.defined()) student.bias.copy_(map.bias.flatten());
}

Moments ReadOut::no_moments() const {
  return student.depthwise ? Moments(outputs.numel(), student_inputs(), 1)
                           : Moments(1, student_inputs(), outputs.numel());
}

MapTarget ReadOut::target(const LinearMap& map, const at::Tensor& x, bool whole) const {
  const at::Tensor rows = input_rows(x).to(at::kDouble);
  MapTarget target;
  target.outputs = student.depthwise ? (rows.index_select(1, outputs) * teacher_weight).sum(2)
                                     : at::linear(rows.squeeze(1), teacher_weight);
  if (teacher_bias.defined()) target.outputs += teacher_bias;
  if (whole && map.residual.defined())
    target.outputs =
        at::add(map.residual.flatten(0, -2).index_select(1, outputs), target.outputs, map.scale);
  if (memory.defined()) target.memory = rows.squeeze(1).index_select(1, memory);
  return target;
}

void ReadOut::add_rows(const LinearMap& map, const at::Tensor& x, const MapTarget& target,
                       bool whole, Moments& moments) const {
  at::Tensor inputs = input_rows(x), wanted = target.outputs;
  if (target.memory.defined()) {
    const int64_t own = inputs.size(2) - target.memory.size(1);
    inputs = at::cat({inputs.narrow(2, 0, own), target.memory.unsqueeze(1)}, 2);
  }
  if (whole && map.residual.defined()) wanted = (wanted - map.residual.flatten(0, -2)) / map.scale;
  moments.add(inputs, wanted.unsqueeze(student.depthwise ? 2 : 1));
}

at::Tensor ReadOut::student_output(const at::Tensor& x) const {
  const AffineMap map = current();
  const at::Tensor rows = input_rows(x).to(at::kDouble);
  at::Tensor y = at::bmm(rows.transpose(0, 1), map.weight.transpose(1, 2));  // (G, N, O)
  if (map.bias.defined()) y = y + map.bias.unsqueeze(1);
  return y.transpose(0, 1).flatten(1);
}

at::Tensor ReadOut::input_rows(const at::Tensor& x) const {
  return student.depthwise ? x.flatten(0, -3) : x.reshape({-1, 1, x.size(-1)});
}

ReadOuts find_read_outs(const Transducer& teacher, const Transducer& student, const Plan& plan,
                        const CalibrationUtterance& utterance) {
  const at::NoGradGuard no_grad;
  require_same_pieces(plan);
  Finder finder(teacher, student, plan);
  SegmentOutputs outputs;
  for (const ModelPart segment : model_parts) {
    finder.segment = segment;
    run_segment(student, utterance, segment, outputs, &finder);
  }
  return std::move(finder.result);
}

}  // namespace scion
