// What the report of a study shows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scion/study/analysis/difference.h"
#include "scion/study/analysis/results.h"
#include "scion/study/analysis/steadiness.h"

namespace scion {

struct ArmDescription {
  std::string name;              ///< as in the results
  std::string label = {};        ///< for people; the name when empty
  std::string description = {};  ///< how it was started, one sentence
  std::string factor = {};       ///< arms of one factor are shown together
  std::string baseline = {};     ///< what it is held against; the report's baseline when empty
};

/// One trial of a setting on the development set.
struct TuningRow {
  std::string schedule, arm, setting;  ///< e.g. "peak_lr 2e-3"
  double wer = 0;                      ///< percent
  bool chosen = false;
};

struct SelfCheck {
  std::string name;
  bool passed = false;
  std::string detail = {};
};

/// What a report shows. Parts that are empty are left out of it.
struct StudyReport {
  std::string title = "Weight selection study";
  std::string summary = {};                                ///< a paragraph under the headline
  std::vector<std::pair<std::string, std::string>> facts;  ///< machine, commit, date, recipe, …
  std::vector<std::string> commands;                       ///< what makes this report again
  std::string baseline = "random";                         ///< the arm that others are held against
  std::vector<ArmDescription> arms;                        ///< in the order to show; others follow
  std::vector<ResultRow> rows;                             ///< the students' evaluations
  std::vector<double> epochs;                              ///< shown in tables; chosen when empty
  Differences differences;
  std::vector<MeasuredRun> optimisation;
  std::vector<TuningRow> tuning;
  std::vector<ResultRow> teacher;  ///< the teacher's evaluations
  /// By set: utterances whose sentence also occurs in the training text.
  std::map<std::string, std::set<std::string>> seen_sentences;
  std::vector<SelfCheck> checks;
  std::vector<std::string> notes;
};

/// A report of a table of results (see read_result_table). The baseline is, when not named, the arm
/// "random" or, without one, the table's first arm. UserErrors: no such arm, a single arm.
StudyReport run_table_study(const std::filesystem::path& table, const std::string& baseline = "");

}  // namespace scion
