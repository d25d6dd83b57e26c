#include "scion/calibration/calibrator.h"

#include "scion/calibration/layer_observer.h"
#include "scion/calibration/output_errors.h"
#include "scion/calibration/paired_layers.h"
#include "scion/core/progress.h"

namespace scion {
namespace {

// Bytes of the teacher's outputs that are kept at a time.
constexpr int64_t kTargetBytes = int64_t{1} << 30;

using Step = PairedLayers::Step;

LayerObserver target_observer(const std::vector<const PairedLayer*>& layers,
                              std::vector<LayerTarget>& targets) {
  LayerObserver observer;
  targets.resize(layers.size());
  for (size_t i = 0; i < layers.size(); ++i)
    observer.observe_linear(layers[i]->teacher_first, [layer = layers[i], &target = targets[i]](
                                                          const LinearMap&, const at::Tensor& x) {
      target = layer->target(x);
    });
  return observer;
}

// Each with its own tensors: copies of Moments would share them.
template <class Make>
std::vector<Moments> one_per_lane(const Make& make) {
  std::vector<Moments> lanes;
  for (size_t lane = 0; lane < calibration_lanes; ++lane) lanes.push_back(make());
  return lanes;
}

Moments sum(const std::vector<Moments>& lanes) {
  Moments total = lanes[0];
  for (size_t lane = 1; lane < lanes.size(); ++lane) total.add(lanes[lane]);
  return total;
}

class Calibrator {
 public:
  Calibrator(const Transducer& teacher, Transducer& student, const Plan& plan,
             CalibrationAudio audio, const CalibrationConfig& config)
      : teacher_(teacher), student_(student), config_(config), audio_(std::move(audio)) {
    run_teacher();
    pairs_ = pair_layers(teacher, student, plan, audio_.utterances[0]);
    for (const Step& step : pairs_.order)
      if (step.norm ? config_.batch_norm : compensates()) steps_.push_back(step);
  }

  CalibrationSummary run() {
    Progress progress("calibrating", static_cast<int64_t>(steps_.size()) + 2, "passes");
    const std::vector<double> before = errors();
    progress.update(++passes_);
    student_outputs_.resize(audio_.utterances.size());
    for (const ModelPart part : model_parts) {
      calibrate_part(part, progress);
      run_all(student_, student_outputs_, part);
    }
    const std::vector<double> after = errors();
    progress.update(++passes_);
    progress.finish();
    return summary(before, after);
  }

 private:
  using Targets = std::vector<std::vector<LayerTarget>>;  // by utterance, by layer

  bool compensates() const { return config_.compensate != Compensation::none; }

  // The teacher never changes: the outputs of its parts are kept for all utterances.
  void run_teacher() {
    teacher_outputs_.resize(audio_.utterances.size());
    for (const ModelPart part : {ModelPart::subsampling, ModelPart::encoder, ModelPart::predictor})
      run_all(teacher_, teacher_outputs_, part);
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t, size_t i) {
      choose_nodes(teacher_, teacher_outputs_[i], audio_.utterances[i]);
    });
  }

  void run_all(const Transducer& model, std::vector<PartOutputs>& outputs, ModelPart part) const {
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t, size_t i) {
      run_part(model, audio_.utterances[i], part, outputs[i], nullptr);
    });
  }

  // The steps of a part are taken in groups whose targets fit into kTargetBytes, so that the
  // teacher is run once for each group, and the student once for each step.
  void calibrate_part(ModelPart part, Progress& progress) {
    std::vector<Step> group;
    int64_t bytes = 0;
    for (const Step& step : steps_) {
      if (pairs_.part_of(step) != part) continue;
      const int64_t more = step.norm ? 0 : target_bytes(pairs_.layers[step.index]);
      if (!group.empty() && bytes + more > kTargetBytes) {
        calibrate_group(part, group, progress);
        group.clear();
        bytes = 0;
      }
      group.push_back(step);
      bytes += more;
    }
    if (!group.empty()) calibrate_group(part, group, progress);
  }

  // Extrapolated from the first utterance to all.
  int64_t target_bytes(const PairedLayer& layer) const {
    const double first_seconds = static_cast<double>(audio_.utterances[0].features.size(1)) *
                                 teacher_.config().features.frame_shift_ms / 1000;
    return static_cast<int64_t>(sizeof(double) * audio_.seconds / first_seconds *
                                static_cast<double>(layer.target_elements));
  }

  void calibrate_group(ModelPart part, const std::vector<Step>& group, Progress& progress) {
    std::vector<const PairedLayer*> layers;
    for (const Step& step : group)
      if (!step.norm) layers.push_back(&pairs_.layers[step.index]);
    const Targets targets = teacher_targets(part, layers);
    size_t next = 0;
    for (const Step& step : group) {
      if (step.norm)
        estimate(pairs_.norms[step.index]);
      else
        compensate(*layers[next], targets, next), ++next;
      progress.update(++passes_);
    }
  }

  Targets teacher_targets(ModelPart part, const std::vector<const PairedLayer*>& layers) const {
    Targets targets(audio_.utterances.size());
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t, size_t i) {
      LayerObserver observer = target_observer(layers, targets[i]);
      PartOutputs outputs = teacher_outputs_[i];
      run_part(teacher_, audio_.utterances[i], part, outputs, &observer);
    });
    return targets;
  }

  // Passes all utterances through a part of the student as it is now. `observe(observer, lane, i)`
  // prepares the observer of utterance i.
  template <class Observe>
  void observe_student(ModelPart part, const Observe& observe) const {
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t lane, size_t i) {
      LayerObserver observer;
      observe(observer, lane, i);
      PartOutputs outputs = student_outputs_[i];
      run_part(student_, audio_.utterances[i], part, outputs, &observer);
    });
  }

  void compensate(const PairedLayer& layer, const Targets& targets, size_t place) const {
    std::vector<Moments> lanes = one_per_lane([&] { return layer.no_moments(); });
    observe_student(layer.part, [&](LayerObserver& observer, size_t lane, size_t i) {
      observer.observe_linear(layer.student.weights[0],
                              [&, lane, i](const LinearMap&, const at::Tensor& x) {
                                layer.add_rows(x, targets[i][place], lanes[lane]);
                              });
    });
    layer.fit(sum(lanes), config_);
  }

  void estimate(const PairedNorm& norm) const {
    std::vector<Moments> lanes =
        one_per_lane([&] { return Moments(norm.running_mean.numel(), 1, 0); });
    observe_student(norm.part, [&](LayerObserver& observer, size_t lane, size_t) {
      observer.observe_batch_norm(norm.running_mean, [&, lane](const at::Tensor& x) {
        const at::Tensor rows = x.flatten(0, -2).unsqueeze(2);  // (N, C, 1)
        lanes[lane].add(rows, rows.narrow(2, 0, 0));
      });
    });
    const Moments moments = sum(lanes);
    const auto count = static_cast<double>(moments.count());
    // The unbiased variance, as in training.
    norm.running_mean.copy_(moments.mean_x().flatten());
    norm.running_variance.copy_(moments.xx().flatten() * (count / std::max(1.0, count - 1)));
  }

  // Relative errors of all layers, with the student as it is now.
  std::vector<double> errors() const {
    std::vector<std::vector<OutputErrors>> lanes(calibration_lanes,
                                                 std::vector<OutputErrors>(pairs_.layers.size()));
    for_each_utterance_in_lanes(audio_.utterances.size(),
                                [&](size_t lane, size_t i) { add_errors(i, lanes[lane]); });
    std::vector<double> relative;
    for (size_t l = 0; l < pairs_.layers.size(); ++l) {
      OutputErrors total;
      for (const auto& lane : lanes) total.add(lane[l]);
      relative.push_back(total.relative());
    }
    return relative;
  }

  void add_errors(size_t utterance, std::vector<OutputErrors>& errors) const {
    std::vector<const PairedLayer*> layers;
    for (const PairedLayer& layer : pairs_.layers) layers.push_back(&layer);
    std::vector<LayerTarget> targets;
    LayerObserver of_teacher = target_observer(layers, targets), of_student;
    for (size_t l = 0; l < layers.size(); ++l)
      of_student.observe_linear(layers[l]->student.weights[0],
                                [&, l](const LinearMap&, const at::Tensor& x) {
                                  errors[l].add(layers[l]->student_output(x), targets[l].outputs);
                                });
    PartOutputs teacher_outputs = teacher_outputs_[utterance], student_outputs;
    for (const ModelPart part : model_parts) {
      run_part(teacher_, audio_.utterances[utterance], part, teacher_outputs, &of_teacher);
      run_part(student_, audio_.utterances[utterance], part, student_outputs, &of_student);
    }
  }

  CalibrationSummary summary(const std::vector<double>& before,
                             const std::vector<double>& after) const {
    CalibrationSummary summary{.utterances = static_cast<int64_t>(audio_.utterances.size()),
                               .audio_seconds = audio_.seconds,
                               .student_parameters = student_.registry().parameter_count()};
    for (size_t l = 0; l < pairs_.layers.size(); ++l) {
      const PairedLayer& layer = pairs_.layers[l];
      summary.layers.push_back({layer.name, layer.teacher_inputs(), layer.student_inputs(),
                                before[l], after[l], compensates(), layer.parameters()});
    }
    if (config_.batch_norm) summary.batch_norms = static_cast<int64_t>(pairs_.norms.size());
    return summary;
  }

  const Transducer& teacher_;
  Transducer& student_;
  CalibrationConfig config_;
  CalibrationAudio audio_;
  PairedLayers pairs_;
  std::vector<Step> steps_;
  std::vector<PartOutputs> teacher_outputs_, student_outputs_;
  int64_t passes_ = 0;
};

}  // namespace

CalibrationSummary calibrate(const Transducer& teacher, Transducer& student, const Plan& plan,
                             CalibrationAudio audio, const CalibrationConfig& config) {
  const at::NoGradGuard no_grad;
  return Calibrator(teacher, student, plan, std::move(audio), config).run();
}

}  // namespace scion
