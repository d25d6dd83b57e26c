// Results of a study: one row an evaluation, kept as JSON lines; tables of published results as
// CSV.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace scion {

struct UtteranceErrors {
  std::string id, speaker;  ///< speaker "" when not known
  int64_t errors = 0, words = 0;
  bool operator==(const UtteranceErrors&) const = default;
};

/// One run of an arm: its seed, and the teacher that it started from.
struct RunKey {
  int64_t teacher = 0;  ///< the teacher's number; 0: none
  int64_t seed = 0;
  bool operator==(const RunKey&) const = default;
  bool operator<(const RunKey& other) const {
    return std::tie(teacher, seed) < std::tie(other.teacher, other.seed);
  }
};

/// "seed 2", "teacher 1, seed 2".
std::string run_text(const RunKey& run);

/// One evaluation of one student on one set. (schedule, arm, teacher, seed, update, set, weights)
/// is its key.
struct ResultRow {
  std::string schedule, arm, set;
  int64_t teacher = 0;  ///< the teacher's number; 0: none
  int64_t seed = 0;
  std::string weights = "raw";  ///< raw: of the last update; averaged: over the last epochs
  int64_t update = 0;  ///< optimiser steps done; 0 throughout in tables that count in epochs only
  double epoch = 0;    ///< passes over the training data, fractions allowed
  double wer = 0;      ///< in percent
  int64_t errors = 0, words = 0;
  int64_t substitutions = 0, insertions = 0, deletions = 0;
  double training_seconds = 0;  ///< wall-clock of this student's training, evaluations excluded
  double compute_seconds = 0;   ///< the same and all that went before: teacher, selection
  std::vector<UtteranceErrors> utterances;
  RunKey run() const { return {teacher, seed}; }
  bool operator==(const ResultRow&) const = default;
};

/// The row as one line of JSON, without a newline. Utterances are arrays [id, speaker, errors,
/// words].
std::string to_line(const ResultRow& row);

/// Rows of results.jsonl. Of a key that occurs again (a run resumed) the last line counts, in the
/// place of the first. A last line cut short by a crash is ignored; any other line that is not a
/// result is a UserError with its number.
std::vector<ResultRow> parse_results(std::string_view content, const std::string& place);
std::vector<ResultRow> read_results(const std::filesystem::path& path);
/// Writes the file whole.
void write_results(const std::filesystem::path& path, const std::vector<ResultRow>& rows);

/// Rows of a table with a header line: epoch, set, arm, wer (percent) and, if there, teacher, seed,
/// schedule, update, training_seconds, compute_seconds; columns in any order, lines that start with
/// '#' skipped, fields quoted where they hold a comma. UserErrors name file, line and column.
std::vector<ResultRow> parse_result_table(std::string_view content, const std::string& place);
std::vector<ResultRow> read_result_table(const std::filesystem::path& path);

}  // namespace scion
