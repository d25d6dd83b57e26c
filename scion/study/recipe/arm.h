// An arm of a study: the initialisation of its students, and its own training options.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "scion/calibration/calibration_config.h"
#include "scion/selection/rules.h"
#include "scion/training/config/run_config.h"

namespace scion {

struct RecipeArm {
  std::string name;
  std::string about;   ///< description; made from the other keys if empty
  std::string factor;  ///< what it varies; the report groups arms by factor

  std::string init;       ///< xavier, he, default; "" for a selected arm
  std::string rules;      ///< rule set of a selected arm; "best" if the recipe names neither
  SelectionRules select;  ///< the rule set with the arm's options applied
  /// [arms.calibrate]: fit the student to its teacher on the run's training audio.
  std::optional<CalibrationConfig> calibration;
  std::string control;   ///< "shuffled" or "redrawn" inside each tensor, after selection
  bool distill = false;  ///< also distil from the teacher during training (train.distill.teacher)

  std::string baseline;              ///< the arm it is compared with; "": the study's baseline
  std::vector<std::string> budgets;  ///< the budgets it runs in; empty: all
  bool tuned = true;                 ///< takes part in tuning; false if it sets train.peak_lr
  RunConfig run;                     ///< the student's configuration with the arm's options applied

  bool selected() const { return init.empty(); }
  bool has_teacher() const { return selected() || distill; }
  bool runs_in(const std::string& budget) const;
  /// One sentence: the initialisation and the options that differ from the student's.
  std::string description(const RunConfig& student) const;
};

/// Reads an arm from its table. `student` has the defaults of its run; relative paths are relative
/// to `directory`. UserError naming `place` if anything is unknown or inconsistent.
RecipeArm read_arm(const nlohmann::json& table, const RunConfig& student, const std::string& place,
                   const std::filesystem::path& directory);

/// `table` completed from the arm named by its key `like`: all keys but name, about and factor. If
/// the table sets init, the rules are not inherited, and vice versa.
nlohmann::json inherited_arm(const nlohmann::json& like, const nlohmann::json& table);

/// An [[arms]] entry that reads back as the same arm.
std::string arm_toml(const RecipeArm& arm, const RunConfig& student);

}  // namespace scion
