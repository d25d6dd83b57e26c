#include "scion/calibration/calibration.h"

#include "scion/calibration/paired_layers.h"
#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/core/progress.h"

namespace scion {
namespace {

// Bytes of the teacher's outputs that are kept at a time.
constexpr int64_t kTargetBytes = int64_t{1} << 30;

// The teacher's outputs for some read-outs in one utterance.
class TargetObserver : public InputObserver {
 public:
  TargetObserver(const std::vector<const ReadOut*>& read_outs, bool whole) : whole_(whole) {
    for (size_t i = 0; i < read_outs.size(); ++i)
      places_[read_outs[i]->teacher_key.unsafeGetTensorImpl()] = {read_outs[i], i};
    targets.resize(read_outs.size());
  }
  void linear(const LinearMap& map, const at::Tensor& x) override {
    const auto found = places_.find(map.weights[0].unsafeGetTensorImpl());
    if (found == places_.end()) return;
    const auto& [read_out, place] = found->second;
    targets[place] = read_out->target(map, x, whole_);
  }
  void batch_norm(const at::Tensor&, const at::Tensor&, const at::Tensor&) override {}

  std::vector<MapTarget> targets;

 private:
  bool whole_;
  std::unordered_map<const void*, std::pair<const ReadOut*, size_t>> places_;
};

// Shows one map's inputs to a function.
class MapObserver : public InputObserver {
 public:
  using See = std::function<void(const LinearMap& map, const at::Tensor& x)>;
  MapObserver(const at::Tensor& weight, See see) : weight_(weight), see_(std::move(see)) {}
  void linear(const LinearMap& map, const at::Tensor& x) override {
    if (map.weights[0].is_same(weight_)) see_(map, x);
  }
  void batch_norm(const at::Tensor&, const at::Tensor&, const at::Tensor&) override {}

 private:
  const at::Tensor& weight_;
  See see_;
};

// The moments of what enters one batch normalisation.
class NormObserver : public InputObserver {
 public:
  NormObserver(const at::Tensor& running_mean, Moments& moments)
      : running_mean_(running_mean), moments_(moments) {}
  void linear(const LinearMap&, const at::Tensor&) override {}
  void batch_norm(const at::Tensor& running_mean, const at::Tensor&, const at::Tensor& x) override {
    if (!running_mean.is_same(running_mean_)) return;
    const at::Tensor rows = x.flatten(0, -2).unsqueeze(2);  // (N, C, 1)
    moments_.add(rows, rows.narrow(2, 0, 0));
  }

 private:
  const at::Tensor& running_mean_;
  Moments& moments_;
};

// Squared differences between the student's outputs and the teacher's; the latter's variance.
struct OutputErrors {
  double wrong = 0;
  int64_t rows = 0;
  at::Tensor sum, squares;  // (O)

  void add(const at::Tensor& y, const at::Tensor& target) {
    wrong += (y - target).square().sum().item<double>();
    rows += target.size(0);
    sum = sum.defined() ? sum + target.sum(0) : target.sum(0);
    squares = squares.defined() ? squares + target.square().sum(0) : target.square().sum(0);
  }
  void add(const OutputErrors& other) {
    if (other.rows == 0) return;
    wrong += other.wrong;
    rows += other.rows;
    sum = sum.defined() ? sum + other.sum : other.sum;
    squares = squares.defined() ? squares + other.squares : other.squares;
  }
  double relative() const {
    if (rows == 0 || wrong == 0) return 0;
    return wrong / (squares - sum.square() / static_cast<double>(rows)).sum().item<double>();
  }
};

class Calibrator {
 public:
  Calibrator(const Transducer& teacher, Transducer& student, const Plan& plan,
             CalibrationAudio audio, const CalibrationConfig& config)
      : teacher_(teacher), student_(student), config_(config), audio_(std::move(audio)) {
    follow_teacher();
    places_ = find_read_outs(teacher, student, plan, audio_.utterances[0]);
    check_parts();
    choose_steps();
  }

  CalibrationSummary work() {
    Progress progress("calibrating", static_cast<int64_t>(steps_.size()) + 2, "passes");
    const std::vector<double> before = errors();
    progress.update(++passes_);
    student_outputs_.resize(audio_.utterances.size());
    for (const ModelPart segment : model_parts) {
      calibrate_segment(segment, progress);
      run_all(student_, student_outputs_, segment);
    }
    const std::vector<double> after = errors();
    progress.update(++passes_);
    progress.finish();
    return summary(before, after);
  }

 private:
  using Targets = std::vector<std::vector<MapTarget>>;  // by utterance, by read-out

  bool whole() const { return config_.target == "residual"; }

  // The teacher never changes: the outputs of its parts are kept for all utterances.
  void follow_teacher() {
    teacher_outputs_.resize(audio_.utterances.size());
    for (const ModelPart segment :
         {ModelPart::subsampling, ModelPart::encoder, ModelPart::predictor})
      run_all(teacher_, teacher_outputs_, segment);
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t, size_t i) {
      choose_nodes(teacher_, teacher_outputs_[i], audio_.utterances[i]);
    });
  }

  void run_all(const Transducer& model, std::vector<SegmentOutputs>& outputs,
               ModelPart segment) const {
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t, size_t i) {
      run_segment(model, audio_.utterances[i], segment, outputs[i], nullptr);
    });
  }

  bool is_compensated(const ReadOut& map) const {
    return config_.compensate != "none" &&
           (config_.parts.empty() ||
            std::any_of(config_.parts.begin(), config_.parts.end(), [&](const std::string& part) {
              return map.name.find(part) != std::string::npos;
            }));
  }

  void check_parts() const {
    for (const std::string& part : config_.parts) {
      std::vector<std::string> names;
      for (const ReadOut& map : places_.maps) names.push_back(map.name);
      if (std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            return name.find(part) != std::string::npos;
          }))
        continue;
      throw UserError(
          fmt::format("no weight that is taken from the teacher has '{}' in its name", part),
          fmt::format("the weights: {}", fmt::join(names, ", ")));
    }
  }

  void choose_steps() {
    for (const ReadOuts::Step& step : places_.order)
      if (step.norm ? config_.batch_norm : is_compensated(places_.maps[step.index]))
        steps_.push_back(step);
  }

  ModelPart segment_of(const ReadOuts::Step& step) const {
    return step.norm ? places_.norms[step.index].segment : places_.maps[step.index].segment;
  }

  // Steps of a segment are taken in groups whose targets can be kept together, so that the teacher
  // is run once a group, and the student once a step.
  void calibrate_segment(ModelPart segment, Progress& progress) {
    std::vector<ReadOuts::Step> group;
    int64_t bytes = 0;
    const double share = audio_.seconds / first_seconds();
    for (const ReadOuts::Step& step : steps_) {
      if (segment_of(step) != segment) continue;
      const auto more =
          step.norm ? int64_t{0}
                    : static_cast<int64_t>(8 * share * double(places_.maps[step.index].values));
      if (!group.empty() && bytes + more > kTargetBytes) {
        calibrate_group(segment, group, progress);
        group.clear();
        bytes = 0;
      }
      group.push_back(step);
      bytes += more;
    }
    if (!group.empty()) calibrate_group(segment, group, progress);
  }

  double first_seconds() const {
    return double(audio_.utterances[0].features.size(1)) *
           teacher_.config().features.frame_shift_ms / 1000;
  }

  void calibrate_group(ModelPart segment, const std::vector<ReadOuts::Step>& group,
                       Progress& progress) {
    std::vector<const ReadOut*> maps;
    for (const ReadOuts::Step& step : group)
      if (!step.norm) maps.push_back(&places_.maps[step.index]);
    const Targets targets = teacher_targets(segment, maps);
    size_t next = 0;
    for (const ReadOuts::Step& step : group) {
      if (step.norm)
        estimate(places_.norms[step.index]);
      else
        compensate(*maps[next], targets, next), ++next;
      progress.update(++passes_);
    }
  }

  Targets teacher_targets(ModelPart segment, const std::vector<const ReadOut*>& maps) const {
    Targets targets(audio_.utterances.size());
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t, size_t i) {
      TargetObserver observer(maps, whole());
      SegmentOutputs outputs = teacher_outputs_[i];
      run_segment(teacher_, audio_.utterances[i], segment, outputs, &observer);
      targets[i] = std::move(observer.targets);
    });
    return targets;
  }

  // Takes the student through a segment as far as it is calibrated.
  template <class MakeObserver>
  void observe_student(ModelPart segment, const MakeObserver& make_observer) const {
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t lane, size_t i) {
      auto observer = make_observer(lane, i);
      SegmentOutputs outputs = student_outputs_[i];
      run_segment(student_, audio_.utterances[i], segment, outputs, &observer);
    });
  }

  static Moments added_up(const std::vector<Moments>& lanes) {
    Moments total = lanes[0];
    for (size_t lane = 1; lane < lanes.size(); ++lane) total.add(lanes[lane]);
    return total;
  }

  void compensate(const ReadOut& map, const Targets& targets, size_t place) const {
    std::vector<Moments> lanes;
    for (size_t lane = 0; lane < calibration_lanes; ++lane) lanes.push_back(map.no_moments());
    observe_student(map.segment, [&](size_t lane, size_t i) {
      return MapObserver(map.student.weights[0],
                         [&, lane, i](const LinearMap& shown, const at::Tensor& x) {
                           map.add_rows(shown, x, targets[i][place], whole(), lanes[lane]);
                         });
    });
    const Moments moments = added_up(lanes);
    const AffineMap selected = map.current();
    const AffineMap fitted =
        config_.compensate == "deviation"
            ? match_deviation(moments, selected)
            : least_squares(moments, selected, {config_.ridge, config_.shrink_to});
    map.replace(blend(selected, fitted, config_.strength));
  }

  void estimate(const NormPlace& norm) const {
    std::vector<Moments> lanes;
    for (size_t lane = 0; lane < calibration_lanes; ++lane)
      lanes.emplace_back(norm.running_mean.numel(), 1, 0);
    observe_student(norm.segment, [&](size_t lane, size_t) {
      return NormObserver(norm.running_mean, lanes[lane]);
    });
    const Moments moments = added_up(lanes);
    const auto count = static_cast<double>(moments.count());
    // As training keeps it: without bias.
    norm.running_mean.copy_(moments.mean_x().flatten());
    norm.running_variance.copy_(moments.xx().flatten() * (count / std::max(1.0, count - 1)));
  }

  // Of every map, with the student as it is.
  std::vector<double> errors() const {
    std::vector<const ReadOut*> maps;
    for (const ReadOut& map : places_.maps) maps.push_back(&map);
    std::vector<std::vector<OutputErrors>> lanes(calibration_lanes,
                                                 std::vector<OutputErrors>(maps.size()));
    for_each_utterance_in_lanes(audio_.utterances.size(), [&](size_t lane, size_t i) {
      SegmentOutputs of_teacher = teacher_outputs_[i], of_student;
      for (const ModelPart segment : model_parts) {
        TargetObserver targets(maps, false);
        run_segment(teacher_, audio_.utterances[i], segment, of_teacher, &targets);
        compare(segment, i, targets.targets, of_student, lanes[lane]);
      }
    });
    std::vector<double> relative;
    for (size_t m = 0; m < maps.size(); ++m) {
      OutputErrors total;
      for (const auto& lane : lanes) total.add(lane[m]);
      relative.push_back(total.relative());
    }
    return relative;
  }

  void compare(ModelPart segment, size_t utterance, const std::vector<MapTarget>& targets,
               SegmentOutputs& outputs, std::vector<OutputErrors>& errors) const {
    DifferenceObserver observer(places_.maps, targets, errors);
    run_segment(student_, audio_.utterances[utterance], segment, outputs, &observer);
  }

  class DifferenceObserver : public InputObserver {
   public:
    DifferenceObserver(const std::vector<ReadOut>& maps, const std::vector<MapTarget>& targets,
                       std::vector<OutputErrors>& errors)
        : maps_(maps), targets_(targets), errors_(errors) {}
    void linear(const LinearMap& map, const at::Tensor& x) override {
      for (size_t m = 0; m < maps_.size(); ++m)
        if (map.weights[0].is_same(maps_[m].student.weights[0]))
          errors_[m].add(maps_[m].student_output(x), targets_[m].outputs);
    }
    void batch_norm(const at::Tensor&, const at::Tensor&, const at::Tensor&) override {}

   private:
    const std::vector<ReadOut>& maps_;
    const std::vector<MapTarget>& targets_;
    std::vector<OutputErrors>& errors_;
  };

  CalibrationSummary summary(const std::vector<double>& before,
                             const std::vector<double>& after) const {
    CalibrationSummary summary{.utterances = static_cast<int64_t>(audio_.utterances.size()),
                               .audio_seconds = audio_.seconds,
                               .student_parameters = student_.registry().parameter_count()};
    for (size_t m = 0; m < places_.maps.size(); ++m) {
      const ReadOut& map = places_.maps[m];
      summary.read_outs.push_back({map.name, map.teacher_inputs(), map.student_inputs(), before[m],
                                   after[m], is_compensated(map), map.parameters()});
    }
    if (config_.batch_norm) summary.batch_norms = static_cast<int64_t>(places_.norms.size());
    return summary;
  }

  const Transducer& teacher_;
  Transducer& student_;
  CalibrationConfig config_;
  CalibrationAudio audio_;
  ReadOuts places_;
  std::vector<ReadOuts::Step> steps_;
  std::vector<SegmentOutputs> teacher_outputs_, student_outputs_;
  int64_t passes_ = 0;
};

}  // namespace

void CalibrationConfig::declare(Options& options) {
  options
      .add("compensate", compensate,
           "linear maps: nothing, their outputs' deviation, or weights by least squares, as the "
           "teacher's outputs ask for")
      .choices({"none", "deviation", "least-squares"});
  options.add("parts", parts, "parts of the names of weights that are compensated; none: all");
  options.add("strength", strength, "0: the weights as selected, 1: as compensated").range(0, 1);
  options.add("ridge", ridge, "least squares: ridge over the inputs' mean variance")
      .range(1e-12, 1e6);
  options.add("shrink_to", shrink_to, "least squares: what a large ridge leads to")
      .choices({"selected", "zero"});
  options
      .add("target", target,
           "maps that add to the residual stream: what the teacher's branch gives, or what leads "
           "to the teacher's stream")
      .choices({"branch", "residual"});
  options.add("batch_norm", batch_norm, "take batch normalisations' statistics from the audio");
  options.add("seconds", seconds, "calibration audio, at most").range(0, 1e9).unit("s");
}

double CalibrationSummary::compensated_share() const {
  int64_t compensated = 0;
  for (const ReadOutRecord& map : read_outs)
    if (map.compensated) compensated += map.parameters;
  return static_cast<double>(compensated) / static_cast<double>(student_parameters);
}

nlohmann::json CalibrationSummary::to_json() const {
  nlohmann::json json = {{"utterances", utterances},
                         {"compensated_share", compensated_share()},
                         {"audio_seconds", audio_seconds},
                         {"batch_norms", batch_norms},
                         {"read_outs", nlohmann::json::array()}};
  for (const ReadOutRecord& map : read_outs)
    json["read_outs"].push_back({{"name", map.name},
                                 {"teacher_inputs", map.teacher_inputs},
                                 {"student_inputs", map.student_inputs},
                                 {"before", map.before},
                                 {"after", map.after},
                                 {"compensated", map.compensated},
                                 {"parameters", map.parameters}});
  return json;
}

std::string CalibrationSummary::to_text() const {
  size_t width = 8;
  for (const ReadOutRecord& map : read_outs) width = std::max(width, map.name.size());
  std::string text =
      fmt::format("{:<{}}  {:>14}  {:>21}\n", "read-out", width, "inputs", "relative error");
  for (const ReadOutRecord& map : read_outs)
    text += fmt::format("{:<{}}  {:>6} → {:>5}  {:>8.4f} → {:>8.4f}{}\n", map.name, width,
                        map.teacher_inputs, map.student_inputs, map.before, map.after,
                        map.compensated ? "" : "  (as selected)");
  return text +
         fmt::format(
             "compensated: {:.1f} % of the student's parameters; {} batch normalisations taken "
             "anew; {} utterances, {:.0f} s of speech\n",
             100 * compensated_share(), batch_norms, utterances, audio_seconds);
}

CalibrationSummary calibrate(const Transducer& teacher, Transducer& student, const Plan& plan,
                             CalibrationAudio audio, const CalibrationConfig& config) {
  const at::NoGradGuard no_grad;
  return Calibrator(teacher, student, plan, std::move(audio), config).work();
}

}  // namespace scion
