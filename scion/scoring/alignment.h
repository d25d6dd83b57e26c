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

/// An alignment of least cost (unit costs) and, among those, with the most hits, which determines
/// the numbers of substitutions, insertions and deletions.
std::vector<AlignedWord> align(const std::vector<std::string>& reference,
                               const std::vector<std::string>& hypothesis);
ErrorCounts count_errors(const std::vector<AlignedWord>& alignment);

/// The counts of `align` without the alignment: two rows of memory.
ErrorCounts count_errors(const std::vector<std::string>& reference,
                         const std::vector<std::string>& hypothesis);
ErrorCounts word_errors(std::string_view reference, std::string_view hypothesis);
/// Over characters, spaces between words included, white space at the ends dropped.
ErrorCounts character_errors(std::string_view reference, std::string_view hypothesis);

}  // namespace scion
