// How well a tokenizer writes texts.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "scion/text/tokenizer.h"

namespace scion {

/// Counts texts that a tokenizer cannot write as they are.
class Spelling {
 public:
  explicit Spelling(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void add(const std::string& text);

  size_t texts() const { return texts_; }
  /// Texts with characters that no piece covers, and those characters.
  size_t uncovered() const { return uncovered_; }
  const std::set<std::string>& characters() const { return characters_; }
  /// Other texts that decode(encode(text)) does not give back.
  size_t changed() const { return changed_; }
  /// "'Five' → 'five'": the first of the changed texts; "" when there is none.
  const std::string& example() const { return example_; }

  /// Warnings about a set of training texts, or of references that are scored.
  void warn_of_training_texts(const std::string& set) const;
  void warn_of_references(const std::string& set) const;

 private:
  const Tokenizer& tokenizer_;
  size_t texts_ = 0, uncovered_ = 0, changed_ = 0;
  std::set<std::string> characters_;
  std::string example_;
};

}  // namespace scion
