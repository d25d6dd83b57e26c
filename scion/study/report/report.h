// The contents of a study's report.
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
  std::string label = {};        ///< shown instead of the name if not empty
  std::string description = {};  ///< its initialisation, one sentence
  std::string factor = {};       ///< arms of one factor are shown together
  std::string baseline = {};     ///< the arm it is compared with; empty: the report's baseline
};

/// One trial of a setting on the development set.
struct TuningRow {
  std::string budget, arm, setting;  ///< e.g. "peak_lr 2e-3"
  double wer = 0;                    ///< percent
  bool chosen = false;
};

struct SelfCheck {
  std::string name;
  bool passed = false;
  std::string detail = {};
};

/// Empty parts are omitted from the report.
struct StudyReport {
  std::string title = "Weight selection study";
  std::string summary = {};                                ///< a paragraph under the headline
  std::vector<std::pair<std::string, std::string>> facts;  ///< machine, commit, date, recipe, …
  std::vector<std::string> commands;                       ///< that reproduce the study
  std::string baseline = "random";   ///< the arm that others are compared with
  std::vector<ArmDescription> arms;  ///< in display order; others follow
  std::vector<ResultRow> rows;       ///< the students' evaluations
  std::vector<double> epochs;        ///< table columns; chosen if empty
  Differences differences;
  std::vector<MeasuredRun> measured_runs;
  std::vector<TuningRow> tuning;
  std::vector<ResultRow> teacher;  ///< evaluations of the teachers
  /// By set: utterances whose sentence also occurs in the training text.
  std::map<std::string, std::set<std::string>> seen_sentences;
  std::vector<SelfCheck> checks;
  std::vector<std::string> notes;
};

/// True if all checks passed.
bool all_checks_passed(const StudyReport& report);

/// A report of a table of results (see read_result_table). The default baseline is the arm "random"
/// or, without one, the first arm of the table. UserErrors: no such arm, a single arm.
StudyReport table_report(const std::filesystem::path& table, const std::string& baseline = "");

}  // namespace scion
