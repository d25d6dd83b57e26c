// Word and character alignment by Levenshtein distance.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scion {

struct ErrorCounts {
  int64_t substitutions = 0, insertions = 0, deletions = 0, hits = 0;
  int64_t errors() const { return substitutions + insertions + deletions; }
  int64_t reference_length() const { return substitutions + deletions + hits; }
  /// errors / reference length; 0/0 is 0, n/0 is infinite.
  double rate() const;
  ErrorCounts& operator+=(const ErrorCounts& other);
  bool operator==(const ErrorCounts&) const = default;
};

enum class Edit { hit, substitution, insertion, deletion };

struct AlignedWord {
  Edit edit;
  std::string reference, hypothesis;  ///< "" on the missing side
};

/// What an alignment costs:
/// - levenshtein: the fewest errors and, among those, the most hits (jiwer, icefall, NeMo, ESPnet);
/// - nist: 4 for a substitution, 3 for an insertion or a deletion, as NIST's sclite; where little
///   fits, it prefers an insertion and a deletion around a hit to two substitutions.
enum class AlignmentCosts { levenshtein, nist };

/// An alignment of least cost, which determines the numbers of substitutions, insertions and
/// deletions. Of equal ones the one that sclite prints: of a repeated word the first is deleted or
/// inserted.
std::vector<AlignedWord> align(const std::vector<std::string>& reference,
                               const std::vector<std::string>& hypothesis,
                               AlignmentCosts costs = AlignmentCosts::levenshtein);
ErrorCounts count_errors(const std::vector<AlignedWord>& alignment);

/// The counts of `align` (levenshtein) without the alignment: two rows of memory.
ErrorCounts count_errors(const std::vector<std::string>& reference,
                         const std::vector<std::string>& hypothesis);
ErrorCounts word_errors(std::string_view reference, std::string_view hypothesis);
/// Over characters, one space between words included.
ErrorCounts character_errors(std::string_view reference, std::string_view hypothesis);

}  // namespace scion
