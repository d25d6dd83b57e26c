// Results of a study: one row per evaluation, stored as JSON lines; published results as CSV.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "scion/training/evaluated_weights.h"

namespace scion {

struct UtteranceErrors {
  std::string id, speaker;  ///< speaker "" if unknown
  int64_t errors = 0, words = 0;
  bool operator==(const UtteranceErrors&) const = default;
};

/// Identifies a run within its arm: the seed, and the teacher that it started from.
struct RunKey {
  int64_t teacher = 0;  ///< number of the teacher; 0: none
  int64_t seed = 0;
  bool operator==(const RunKey&) const = default;
  bool operator<(const RunKey& other) const {
    return std::tie(teacher, seed) < std::tie(other.teacher, other.seed);
  }
};

/// "seed 2", "teacher 1, seed 2".
std::string run_text(const RunKey& run);

/// One evaluation of one student on one set. Its key is (budget, arm, teacher, seed, update, set,
/// weights).
struct ResultRow {
  std::string budget, arm, set;
  int64_t teacher = 0;  ///< number of the teacher; 0: none
  int64_t seed = 0;
  Weights weights = Weights::raw;
  int64_t update = 0;  ///< optimiser steps done; 0 throughout in tables that count epochs only
  double epoch = 0;    ///< passes over the training data, possibly fractional
  double wer = 0;      ///< percent
  int64_t errors = 0, words = 0;
  int64_t substitutions = 0, insertions = 0, deletions = 0;
  double training_seconds = 0;  ///< wall-clock time of this training, without evaluations
  double compute_seconds = 0;   ///< training_seconds plus the training of the teacher
  std::vector<UtteranceErrors> utterances;
  RunKey run() const { return {teacher, seed}; }
  bool operator==(const ResultRow&) const = default;
};

/// The row as one line of JSON, without a newline. Utterances are arrays [id, speaker, errors,
/// words].
std::string to_line(const ResultRow& row);

/// Rows of results.jsonl. If a key occurs again (a resumed run), its last line replaces the first.
/// A final line cut short by a crash is ignored; any other line that is not a result is a UserError
/// with its number. Files of older programs name the budget "schedule".
std::vector<ResultRow> parse_results(std::string_view content, const std::string& place);
std::vector<ResultRow> read_results(const std::filesystem::path& path);
/// Replaces the file atomically.
void write_results(const std::filesystem::path& path, const std::vector<ResultRow>& rows);

/// Rows of a table with a header line: epoch, set, arm, wer (percent) and optionally teacher, seed,
/// budget (or schedule, its old name), update, training_seconds, compute_seconds. Columns in any
/// order; lines that start with '#' are skipped; fields with a comma are quoted. UserErrors name
/// file, line and column.
std::vector<ResultRow> parse_result_table(std::string_view content, const std::string& place);
std::vector<ResultRow> read_result_table(const std::filesystem::path& path);

}  // namespace scion
