#include "scion/study/student_start.h"

#include "scion/calibration/calibrated_student.h"
#include "scion/core/files/file.h"
#include "scion/core/options.h"
#include "scion/study/controls.h"
#include "scion/study/recipe/option_changes.h"

namespace scion {
namespace fs = std::filesystem;

nlohmann::json start_json(const RecipeArm& arm, const fs::path& teacher,
                          const std::string& checksum, int64_t seed) {
  nlohmann::json rules = options_json(arm.select);
  rules["seed"] = seed;
  return {
      {"rules", arm.rules},
      {"select", rules},
      {"control", arm.control},
      {"calibrate", arm.calibration ? options_json(*arm.calibration) : nlohmann::json::object()},
      {"teacher", teacher.string()},
      {"teacher_checksum", checksum}};
}

std::string changed_start(const fs::path& file, const nlohmann::json& start) {
  nlohmann::json before = nlohmann::json::parse(read_file(file));
  // The file of an older program lacks new options, which had their defaults, and has options that
  // no longer exist.
  SelectionRules rules;
  Options options;
  rules.declare(options);
  options.load_json(before.at("select"), file.string());
  before["select"] = options.to_json();
  nlohmann::json calibrated = before.value("calibrate", nlohmann::json::object());
  for (const char* removed : {"parts", "strength", "shrink_to", "target"})
    calibrated.erase(removed);
  if (calibrated.empty() != start.at("calibrate").empty())
    return calibrated.empty() ? "it is calibrated, was not" : "it is not calibrated, was";
  before["calibrate"] = calibrated;
  // One that the study trains is compared by its own run. Older programs did not write checksums.
  const std::string& checksum = start.at("teacher_checksum").get_ref<const std::string&>();
  if (before.value("teacher_checksum", checksum) != checksum)
    return fmt::format("its teacher is {}, was another", start.at("teacher").get<std::string>());
  before["teacher"] = start.at("teacher");
  before["teacher_checksum"] = checksum;
  return first_change(before, start);
}

void write_start(const RecipeArm& arm, const fs::path& teacher_path, int64_t seed,
                 const RunConfig& config, const fs::path& path) {
  const ModelFile teacher = load_model(teacher_path);
  StudentRecipe recipe{.rule_set = arm.rules, .rules = arm.select};
  recipe.rules.seed = seed;
  std::optional<CalibrationRequest> calibration;
  if (arm.calibration)
    calibration = {*arm.calibration, {config.data.train.begin(), config.data.train.end()}};
  Student student = make_calibrated_student(teacher, config.model, recipe, calibration).student;
  Registry& registry = student.file.model->registry();
  if (arm.control == "shuffled") shuffle_inside_tensors(registry, static_cast<uint64_t>(seed));
  if (arm.control == "redrawn") redraw_with_own_deviation(registry, static_cast<uint64_t>(seed));
  student.file.provenance.control = arm.control;
  save_student(path, student);
}

}  // namespace scion
