// A comparison, declared: the teacher, the arms, the schedules, the sets, and what is compared
// with what.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/difference.h"
#include "scion/study/conditions/condition.h"
#include "scion/study/recipe/arm.h"
#include "scion/training/run_config.h"

namespace scion {

/// A set to evaluate on; with `condition` a corrupted copy of the manifest is made first.
struct RecipeSet {
  std::string name, manifest;
  bool corrupted = false;
  std::string babble;  ///< corrupted: manifest of other speakers
  CorruptionConfig corruption;
};

/// A teacher of the study: trained here with a seed, or a given file.
struct RecipeTeacher {
  int64_t number = 1;  ///< its seed, or its place among the files from 1
  std::string file;    ///< "" when it is trained here
};

/// A budget: every arm has the same.
struct RecipeSchedule {
  std::string name;
  int64_t epochs = 0;
  std::vector<int64_t> evaluate_epochs;
};

/// Shown in the report, and a reason for a non-zero exit when it does not hold.
struct RecipeCheck {
  std::string kind;  ///< teacher_wer, arm_wer, early_cut, speed_up, end_below: see checks.h
  std::string set, schedule;
  double limit = 0;  ///< %; speed_up: a factor; end_below: percentage points
  std::string arm, baseline;
  double share = 0;               ///< of the epochs of the schedule; speed_up: of the baseline's
  std::string baseline_schedule;  ///< speed_up: where the baseline has another

  /// The schedule of the baseline: `schedule` where no other is named.
  const std::string& schedule_of_baseline() const {
    return baseline_schedule.empty() ? schedule : baseline_schedule;
  }
};

struct Recipe {
  std::string name, about;
  std::filesystem::path directory;
  RunConfig teacher, student;
  std::vector<RecipeTeacher> teachers;
  /// cross: every arm with a teacher runs for every teacher × student seed; paired: teacher i goes
  /// with student seed i. Random arms run once a seed.
  std::string pairing = "cross";
  std::vector<RecipeSet> sets;
  std::vector<RecipeArm> arms;
  std::vector<RecipeSchedule> schedules;
  std::vector<RecipeCheck> checks;
  std::vector<Comparison> comparisons;  ///< besides every arm with its baseline

  int64_t seeds = 2, first_seed = 1;
  int64_t jobs = 2;      ///< runs at a time
  int64_t threads = 1;   ///< threads of a run
  std::string baseline;  ///< the arm that others are measured against
  std::string primary_arm, primary_schedule, primary_set;
  double primary_share = 0.2;  ///< of the schedule's epochs

  std::vector<double> grid;  ///< tuning: peak rates tried for every arm and schedule
  std::vector<std::string> tuning_train;
  std::string tuning_set;             ///< dev manifest
  std::filesystem::path tuning_file;  ///< frozen outcome beside the recipe

  /// Reads back as the same recipe, presets and paths resolved.
  std::string to_toml() const;

  const RecipeArm& arm(const std::string& name) const;
  const RecipeSchedule& schedule(const std::string& name) const;
  /// The arm that `arm` is measured against.
  const std::string& baseline_of(const RecipeArm& arm) const {
    return arm.baseline.empty() ? baseline : arm.baseline;
  }
  std::vector<int64_t> student_seeds() const;
  /// Whether some arm has a teacher that is trained here.
  bool trains_teachers() const;
};

/// UserError naming the key and the file for everything unknown or inconsistent.
Recipe read_recipe(const std::filesystem::path& path);

}  // namespace scion
