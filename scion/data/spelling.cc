#include "scion/data/spelling.h"

#include "scion/core/log.h"

namespace scion {
namespace {

std::string counted(size_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

void Spelling::add(const std::string& text) {
  ++texts_;
  const std::vector<std::string> characters = tokenizer_.uncovered(text);
  characters_.insert(characters.begin(), characters.end());
  if (!characters.empty()) {
    ++uncovered_;
  } else if (!tokenizer_.restores(text)) {
    if (changed_++ == 0)
      example_ = fmt::format("'{}' → '{}'", text, tokenizer_.decode(tokenizer_.encode(text)));
  }
}

void Spelling::warn_of_training_texts(const std::string& set) const {
  if (changed_ > 0)
    log_warning(
        "{}: {} of {} do not come back from the tokenizer as they are: {}; the model learns "
        "to write them so",
        set, changed_, counted(texts_, "text"), example_);
}

void Spelling::warn_of_references(const std::string& set) const {
  if (uncovered_ > 0)
    log_warning("{}: {} {} characters that the model cannot write, which count as errors: {}", set,
                counted(uncovered_, "reference"), uncovered_ == 1 ? "has" : "have",
                fmt::join(characters_, " "));
  if (changed_ == 0) return;
  if (tokenizer_.normaliser().empty())
    log_warning("{}: {} cannot be written by the model as they are, which counts as errors: {}",
                set, counted(changed_, "reference"), example_);
  else
    log_warning("{}: the tokenizer normalises text by {}: {} scored as it writes them: {}", set,
                tokenizer_.normaliser(),
                counted(changed_, "reference") + (changed_ == 1 ? " is" : " are"), example_);
}

}  // namespace scion
