#include "scion/text/tokenizer.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/text_lines.h"
#include "scion/core/options.h"

namespace scion {
namespace {

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

std::unordered_map<std::string, std::string> trainer_arguments(const TokenizerConfig& config) {
  std::unordered_map<std::string, std::string> arguments = {
      {"model_type", config.kind},
      {"vocab_size", std::to_string(config.vocabulary)},
      {"control_symbols", "<blk>"},  // takes the first free id, which is 0
      {"unk_id", "1"},
      {"bos_id", "-1"},
      {"eos_id", "-1"},
      {"pad_id", "-1"},
      {"character_coverage", "1.0"},
      {"num_threads", "1"},
      {"input_sentence_size", "0"},
      {"max_sentence_length", "1000000"},
      {"minloglevel", "2"}};
  if (config.kind == "char") {
    arguments["use_all_vocab"] = "true";
    arguments["vocab_size"] = "1000000";  // "all" decides; SentencePiece still requires this much
    // A space before the first word would be one more token an utterance.
    arguments["add_dummy_prefix"] = "false";
  }
  return arguments;
}

/// The characters of UTF-8 text.
std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> out;
  for (const char byte : text) {
    const bool continues = (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
    if (continues && !out.empty())
      out.back() += byte;
    else
      out.emplace_back(1, byte);
  }
  return out;
}

}  // namespace

struct Tokenizer::Impl {
  sentencepiece::SentencePieceProcessor processor;
};

void TokenizerConfig::declare(Options& options) {
  options.add("kind", kind, "what pieces are made of").choices({"char", "bpe", "unigram"});
  options
      .add("vocabulary", vocabulary,
           "pieces, blank included; the text decides where the kind is char")
      .range(3, 1000000);
}

Tokenizer::Tokenizer(std::string serialised)
    : serialised_(std::move(serialised)), impl_(std::make_unique<Impl>()) {
  std::string reason;
  try {
    const auto status = impl_->processor.LoadFromSerializedProto(serialised_);
    if (!status.ok()) reason = status.message();
  } catch (const std::exception& error) {  // of the trie that holds the pieces, e.g. an empty one
    reason = error.what();
  }
  if (!reason.empty())
    throw UserError("not a SentencePiece model: " + reason,
                    "name a tokenizer.model that 'scion prepare' or SentencePiece wrote");
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  try {
    std::string serialised = read_file(path);
    refuse_lfs_pointer(serialised, path);
    return Tokenizer(std::move(serialised));
  } catch (const UserError& error) {
    const std::string what = error.what();
    if (what.find(path.string()) != std::string::npos) throw;
    throw UserError(path.string() + " is " + what, error.hint());
  }
}

Tokenizer Tokenizer::train(const std::vector<std::string>& texts, const TokenizerConfig& config) {
  TextIterator iterator(texts);
  std::string model;
  const auto status =
      sentencepiece::SentencePieceTrainer::Train(trainer_arguments(config), &iterator, &model);
  if (!status.ok()) {
    // SentencePiece puts its source line and the failed condition in brackets before the reason.
    const std::string_view message = status.message();
    const size_t bracket = message.rfind("] ");
    throw UserError(
        fmt::format("cannot train a {} tokenizer of {} pieces on {} texts: {}", config.kind,
                    config.vocabulary, texts.size(),
                    bracket == std::string_view::npos ? message : message.substr(bracket + 2)),
        "choose fewer pieces, or kind char, or give more text");
  }
  return Tokenizer(std::move(model));
}

int64_t Tokenizer::size() const { return impl_->processor.GetPieceSize(); }

std::vector<int64_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int> ids;
  impl_->processor.Encode(text, &ids).IgnoreError();
  return {ids.begin(), ids.end()};
}

std::string Tokenizer::decode(const std::vector<int64_t>& tokens) const {
  std::string text;
  impl_->processor.Decode(std::vector<int>(tokens.begin(), tokens.end()), &text).IgnoreError();
  return text;
}

std::string Tokenizer::piece(int64_t id) const {
  if (id < 0 || id >= size())
    throw std::out_of_range(fmt::format("no piece {} in a vocabulary of {}", id, size()));
  return impl_->processor.IdToPiece(static_cast<int>(id));
}

std::vector<std::string> Tokenizer::uncovered(std::string_view text) const {
  std::vector<std::string> pieces, out;
  std::vector<int> ids;
  impl_->processor.Encode(text, &pieces).IgnoreError();
  impl_->processor.Encode(text, &ids).IgnoreError();
  std::set<std::string> seen;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != impl_->processor.unk_id()) continue;
    // SentencePiece joins unknown characters that follow each other.
    for (const std::string& character : characters(pieces[i]))
      if (seen.insert(character).second) out.push_back(character);
  }
  return out;
}

}  // namespace scion
