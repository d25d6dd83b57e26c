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

// The labels of the audio are the teacher's: they must mean the same to the student.
void require_teachers_vocabulary(const Plan& plan) {
  const LeafChoice* vocabulary = plan.find_leaf("vocabulary");
  if (vocabulary == nullptr) return;
  bool same = vocabulary->whole();
  for (size_t i = 0; i < vocabulary->indices.size(); ++i)
    same = same && vocabulary->indices[i] == static_cast<int64_t>(i);
  if (!same)
    throw UserError("teacher and student have different pieces",
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
    PairedLayer found{.name = first.name, .part = part, .student = map};
    found.student.residual = at::Tensor();
    if (!take_weights(map, found)) return;
    if (found.name == "encoder.subsampling.projection.weight") {
      found.teacher_weight *= input_scale_;
      found.teacher_bias *= input_scale_;
    }
    found.target_elements = x.numel() / found.student_inputs();
    if (!map.depthwise) found.target_elements *= found.rows.numel();
    result.order.push_back({false, result.layers.size()});
    result.layers.push_back(std::move(found));
  }

  void batch_norm(const at::Tensor& running_mean, const at::Tensor& running_variance,
                  const at::Tensor&) override {
    result.order.push_back({true, result.norms.size()});
    result.norms.push_back({part, running_mean, running_variance});
  }

  ModelPart part = ModelPart::subsampling;
  PairedLayers result;

 private:
  const Parameter& parameter(const at::Tensor& tensor) const {
    return *parameters_.at(tensor.unsafeGetTensorImpl());
  }

  // nullptr if the student's tensor does not come from the teacher.
  const Parameter* counterpart(const Parameter& student) const {
    const TensorChoice* choice = plan_.tensor(student.name);
    if (choice == nullptr || choice->action == TensorChoice::Action::random) return nullptr;
    return teacher_.find(choice->teacher);
  }

  // False if the plan leaves a weight random.
  bool take_weights(const LinearMap& map, PairedLayer& found) const {
    std::vector<at::Tensor> matrices;
    at::Tensor scales;
    int64_t inputs = 0;  // of the matrices so far
    for (const at::Tensor& weight : map.weights) {
      const Parameter& student = parameter(weight);
      const Parameter* teacher = counterpart(student);
      if (teacher == nullptr) return false;
      if (matrices.empty()) {
        const DimensionChoice rows = plan_.dimension(*teacher, student, 0);
        found.teacher_first = teacher->tensor;
        found.rows = at::tensor(rows.indices, at::kLong);
        scales = at::tensor(rows.scales, at::kDouble);
      }
      if (map.recurrent && matrices.size() + 1 == map.weights.size())
        found.recurrent_inputs =
            at::tensor(plan_.dimension(*teacher, student, 1).indices, at::kLong) + inputs;
      matrices.push_back(as_matrix(teacher->tensor));
      inputs += matrices.back().size(1);
    }
    found.teacher_weight = at::cat(matrices, 1).index_select(0, found.rows) * scales.unsqueeze(1);
    return !map.bias.defined() || take_bias(map.bias, scales, found);
  }

  bool take_bias(const at::Tensor& bias, const at::Tensor& scales, PairedLayer& found) const {
    const Parameter* teacher = counterpart(parameter(bias));
    if (teacher == nullptr) return false;
    found.teacher_bias =
        teacher->tensor.detach().to(at::kDouble).index_select(0, found.rows) * scales;
    return true;
  }

  PlanLookup plan_;
  const Registry& teacher_;
  double input_scale_;
  std::unordered_map<const void*, const Parameter*> parameters_;
};

}  // namespace

int64_t PairedLayer::student_inputs() const {
  int64_t inputs = 0;
  for (const at::Tensor& weight : student.weights) inputs += weight.numel() / weight.size(0);
  return inputs;
}

int64_t PairedLayer::parameters() const {
  int64_t parameters = student.bias.defined() ? student.bias.numel() : 0;
  for (const at::Tensor& weight : student.weights) parameters += weight.numel();
  return parameters;
}

LayerTarget PairedLayer::target(const at::Tensor& x) const {
  const at::Tensor inputs = input_rows(x).to(at::kDouble);
  LayerTarget target;
  target.outputs = student.depthwise ? (inputs.index_select(1, rows) * teacher_weight).sum(2)
                                     : at::linear(inputs.squeeze(1), teacher_weight);
  if (teacher_bias.defined()) target.outputs += teacher_bias;
  if (recurrent_inputs.defined())
    target.recurrent = inputs.squeeze(1).index_select(1, recurrent_inputs);
  return target;
}

at::Tensor PairedLayer::student_output(const at::Tensor& x) const {
  const AffineMap map = student_map();
  const at::Tensor inputs = input_rows(x).to(at::kDouble);
  at::Tensor y = at::bmm(inputs.transpose(0, 1), map.weight.transpose(1, 2));  // (G, N, O)
  if (map.bias.defined()) y = y + map.bias.unsqueeze(1);
  return y.transpose(0, 1).flatten(1);
}

Moments PairedLayer::no_moments() const {
  return student.depthwise ? Moments(rows.numel(), student_inputs(), 1)
                           : Moments(1, student_inputs(), rows.numel());
}

void PairedLayer::add_rows(const at::Tensor& x, const LayerTarget& target, Moments& moments) const {
  at::Tensor inputs = input_rows(x);
  if (target.recurrent.defined()) {
    const int64_t others = inputs.size(2) - target.recurrent.size(1);
    inputs = at::cat({inputs.narrow(2, 0, others), target.recurrent.unsqueeze(1)}, 2);
  }
  moments.add(inputs, target.outputs.unsqueeze(student.depthwise ? 2 : 1));
}

void PairedLayer::fit(const Moments& moments, const CalibrationConfig& config) const {
  const AffineMap selected = student_map();
  replace_student(config.compensate == Compensation::deviation
                      ? match_deviation(moments, selected)
                      : least_squares(moments, selected, config.ridge));
}

AffineMap PairedLayer::student_map() const {
  const int64_t groups_at = student.depthwise ? 1 : 0;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& weight : student.weights) parts.push_back(as_matrix(weight));
  AffineMap map{at::cat(parts, 1).unsqueeze(groups_at), {}};
  if (student.bias.defined()) map.bias = student.bias.detach().to(at::kDouble).unsqueeze(groups_at);
  return map;
}

void PairedLayer::replace_student(const AffineMap& map) const {
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

at::Tensor PairedLayer::input_rows(const at::Tensor& x) const {
  return student.depthwise ? x.flatten(0, -3) : x.reshape({-1, 1, x.size(-1)});
}

ModelPart PairedLayers::part_of(const Step& step) const {
  return step.norm ? norms[step.index].part : layers[step.index].part;
}

PairedLayers pair_layers(const Transducer& teacher, const Transducer& student, const Plan& plan,
                         const CalibrationUtterance& utterance) {
  const at::NoGradGuard no_grad;
  require_teachers_vocabulary(plan);
  Finder finder(teacher, student, plan);
  PartOutputs outputs;
  for (const ModelPart part : model_parts) {
    finder.part = part;
    run_part(student, utterance, part, outputs, &finder);
  }
  return std::move(finder.result);
}

}  // namespace scion
