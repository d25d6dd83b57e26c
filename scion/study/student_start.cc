#include "scion/study/student_start.h"

#include "scion/core/files/file.h"
#include "scion/core/options.h"
#include "scion/nn/initialise.h"
#include "scion/recognition/model_dataset.h"
#include "scion/selection/select.h"
#include "scion/study/controls.h"
#include "scion/study/recipe/option_changes.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

CalibratedSelection make_start(const RecipeArm& arm, const ModelFile& teacher,
                               const SelectionRules& rules, const RunConfig& config) {
  const auto seed = static_cast<uint64_t>(rules.seed);
  if (!arm.calibration)
    return {select_student(*teacher.model, config.model, rules, "xavier", seed), {}};
  const std::vector<fs::path> manifests(config.data.train.begin(), config.data.train.end());
  return select_calibrated(*teacher.model, config.model, rules, "xavier", seed,
                           dataset_for(teacher, manifests), *arm.calibration);
}

}  // namespace

nlohmann::json start_json(const RecipeArm& arm, const fs::path& teacher, int64_t seed) {
  nlohmann::json rules = options_json(arm.select);
  rules["seed"] = seed;
  return {
      {"rules", arm.rules},
      {"select", rules},
      {"control", arm.control},
      {"calibrate", arm.calibration ? options_json(*arm.calibration) : nlohmann::json::object()},
      {"teacher", teacher.string()}};
}

std::string changed_start(const fs::path& file, const nlohmann::json& start) {
  nlohmann::json before = nlohmann::json::parse(read_file(file));
  // Written by an older program, a file lacks new options: they had their defaults.
  SelectionRules rules;
  Options options;
  rules.declare(options);
  options.load_json(before.at("select"), file.string());
  before["select"] = options.to_json();
  const nlohmann::json calibrated = before.value("calibrate", nlohmann::json::object());
  if (calibrated.empty() != start.at("calibrate").empty())
    return calibrated.empty() ? "it is calibrated, was not" : "it is not calibrated, was";
  before["calibrate"] = calibrated;
  before["teacher"] = start.at("teacher");  // compared by its own run
  return first_change(before, start);
}

void write_start(const RecipeArm& arm, const fs::path& teacher_path, int64_t seed,
                 const RunConfig& config, const fs::path& path) {
  const ModelFile teacher = load_model(teacher_path);
  SelectionRules rules = arm.select;
  rules.seed = seed;
  const CalibratedSelection made = make_start(arm, teacher, rules, config);
  Registry& registry = made.selection.student->registry();
  if (arm.control == "shuffled") shuffle_inside_tensors(registry, static_cast<uint64_t>(seed));
  if (arm.control == "redrawn") redraw_with_own_deviation(registry, static_cast<uint64_t>(seed));
  nlohmann::json provenance =
      selection_provenance(teacher_path, teacher.provenance, arm.rules, rules, made.selection.plan);
  if (arm.calibration)
    provenance["calibrated"] = calibration_provenance(*arm.calibration, made.summary);
  if (!arm.control.empty()) provenance["control"] = arm.control;
  save_model(path, *made.selection.student, teacher.tokenizer, provenance);
}

}  // namespace scion
