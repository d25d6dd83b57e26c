// An arm of a comparison: how its students' weights start, and what is its own in training.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "scion/calibration/calibration.h"
#include "scion/selection/rules.h"
#include "scion/training/run_config.h"

namespace scion {

struct RecipeArm {
  std::string name;
  std::string about;   ///< for people; what follows from the keys when empty
  std::string factor;  ///< what it varies: arms of one factor stand together in the report

  std::string init;       ///< xavier, he, default; "" for a selected arm
  std::string rules;      ///< rule set of a selected arm: "best" where a recipe names neither
  SelectionRules select;  ///< the rule set with the arm's own options
  /// [arms.calibrate]: the student is fitted to its teacher on the run's training audio.
  std::optional<CalibrationConfig> calibration;
  std::string control;   ///< selected, then "shuffled" or "redrawn" inside each tensor
  bool distill = false;  ///< also distil from the teacher during training (train.distill.teacher)

  std::string baseline;                ///< what it is measured against; "": the study's baseline
  std::vector<std::string> schedules;  ///< that it runs in; none named: all
  bool tuned = true;                   ///< tries the tuning's grid; not with a peak_lr of its own
  RunConfig run;                       ///< the student's, with the arm's own options

  bool selected() const { return init.empty(); }
  bool has_teacher() const { return selected() || distill; }
  bool runs_in(const std::string& schedule) const;
  /// One sentence: how it starts, what is its own.
  std::string description(const RunConfig& student) const;
};

/// An arm from its table. `student` holds what the arm does not say; relative paths are taken from
/// `directory`. UserError naming `place` for everything unknown or inconsistent.
RecipeArm read_arm(const nlohmann::json& table, const RunConfig& student, const std::string& place,
                   const std::filesystem::path& directory);

/// `table` with what it leaves to the arm that it is `like`: all but name, about and factor. Of
/// init and rules only the one that it names itself, if it does.
nlohmann::json inherited_arm(const nlohmann::json& like, const nlohmann::json& table);

/// A [[arms]] entry that reads back as the same arm.
std::string arm_toml(const RecipeArm& arm, const RunConfig& student);

}  // namespace scion
