// Texts for SentencePiece's trainer.
#pragma once

#include <sentencepiece_trainer.h>

#include <string>
#include <vector>

namespace scion {

/// Hands texts to SentencePiece, which asks for them one by one.
class TextIterator : public sentencepiece::SentenceIterator {
 public:
  explicit TextIterator(const std::vector<std::string>& texts) : texts_(texts) {}
  bool done() const override { return next_ == texts_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return texts_[next_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& texts_;
  size_t next_ = 0;
};

}  // namespace scion
