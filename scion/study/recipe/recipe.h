// A recipe: the file that declares a study's teachers, arms, budgets, sets, comparisons and checks.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/difference.h"
#include "scion/study/conditions/condition.h"
#include "scion/study/recipe/arm.h"
#include "scion/training/config/run_config.h"

namespace scion {

/// A set to evaluate on; if `corrupted`, a corrupted copy of the manifest is made first.
struct RecipeSet {
  std::string name, manifest;
  bool corrupted = false;
  std::string babble;  ///< corrupted: manifest of other speakers
  CorruptionConfig corruption;
};

/// A teacher of the study: trained with a seed, or given as a file.
struct RecipeTeacher {
  int64_t number = 1;  ///< its seed, or its index among the files, from 1
  std::string file;    ///< "": trained by the study
};

/// A training budget, the same for every arm.
struct RecipeBudget {
  std::string name;
  int64_t epochs = 0;
  std::vector<int64_t> evaluate_epochs;
};

/// A requirement on the results. Shown in the report; the exit status is non-zero if it fails.
struct RecipeCheck {
  std::string kind;       ///< teacher_wer, arm_wer, early_cut, speed_up, end_below: see checks.h
  double limit = 0;       ///< %; speed_up: a factor; end_below: percentage points
  double share = 0;       ///< of the epochs of the budget; speed_up: of the baseline's budget
  Comparison comparison;  ///< at no epoch; the arm, baseline and budget are "" if not needed
};

struct Recipe {
  std::string name, about;
  std::filesystem::path directory;
  RunConfig teacher, student;
  std::vector<RecipeTeacher> teachers;
  /// cross: an arm with a teacher runs for every teacher × student seed; paired: teacher i goes
  /// with student seed i. Random arms run once per seed.
  std::string pairing = "cross";
  std::vector<RecipeSet> sets;
  std::vector<RecipeArm> arms;
  std::vector<RecipeBudget> budgets;
  std::vector<RecipeCheck> checks;
  std::vector<Comparison> comparisons;  ///< in addition to every arm with its baseline

  int64_t seeds = 2, first_seed = 1;
  int64_t jobs = 2;             ///< concurrent runs
  int64_t threads = 1;          ///< threads per run
  int64_t teacher_threads = 1;  ///< threads per teacher's run
  /// Concurrent runs whose places a teacher's run takes.
  int64_t teacher_places() const;
  std::string baseline;  ///< the arm that others are compared with
  std::string primary_arm, primary_budget, primary_set;
  double primary_share = 0.2;  ///< of the budget's epochs

  std::vector<double> grid;  ///< tuning: peak learning rates tried for every arm and budget
  std::vector<std::string> tuning_train;
  std::string tuning_set;             ///< dev manifest
  std::filesystem::path tuning_file;  ///< the frozen outcome, beside the recipe

  /// TOML that reads back as the same recipe, with presets and paths resolved.
  std::string to_toml() const;

  const RecipeArm& arm(const std::string& name) const;
  const RecipeBudget& budget(const std::string& name) const;
  /// The arm that `arm` is compared with.
  const std::string& baseline_of(const RecipeArm& arm) const {
    return arm.baseline.empty() ? baseline : arm.baseline;
  }
  std::vector<int64_t> student_seeds() const;
  /// True if some arm has a teacher.
  bool has_teachers() const;
  /// True if some arm has a teacher and the study trains it.
  bool trains_teachers() const;
};

/// Reads a recipe; keys of older recipes (old_keys.h) are understood. UserError naming the file and
/// the key if anything is unknown or inconsistent.
Recipe read_recipe(const std::filesystem::path& path);

}  // namespace scion
