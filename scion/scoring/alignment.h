// Word alignment by Levenshtein distance.
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

std::vector<std::string> split_words(std::string_view text);        // any white space
std::vector<std::string> split_characters(std::string_view text);   // UTF-8, spaces kept

/// A cheapest alignment (unit costs); among equally cheap ones the one with the most hits.
std::vector<AlignedWord> align(const std::vector<std::string>& reference,
                               const std::vector<std::string>& hypothesis);
ErrorCounts count_errors(const std::vector<AlignedWord>& alignment);
ErrorCounts word_errors(std::string_view reference, std::string_view hypothesis);
ErrorCounts character_errors(std::string_view reference, std::string_view hypothesis);

}  // namespace scion
