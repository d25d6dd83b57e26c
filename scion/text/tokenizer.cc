#include "scion/text/tokenizer.h"

#include <sentencepiece_processor.h>

#include <set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/text_lines.h"
#include "scion/core/options.h"
#include "scion/text/sentencepiece_model.h"
#include "scion/text/text_iterator.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

std::unordered_map<std::string, std::string> trainer_arguments(const TokenizerConfig& config) {
  std::unordered_map<std::string, std::string> arguments = {
      {"model_type", word_of(config.kind)},
      {"vocab_size", std::to_string(config.vocabulary)},
      {"control_symbols", "<blk>"},  // takes the first free id, which is 0
      {"unk_id", "1"},
      {"bos_id", "-1"},
      {"eos_id", "-1"},
      {"pad_id", "-1"},
      {"normalization_rule_name", "identity"},
      {"character_coverage", "1.0"},
      {"num_threads", "1"},
      {"input_sentence_size", "0"},
      {"max_sentence_length", "1000000"},
      {"minloglevel", "2"}};
  if (config.kind == PieceKind::character) {
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

/// Whether a text can contain the piece only by naming it on purpose, such as "<blk>".
bool is_mark(const std::string& piece) {
  return piece.size() > 2 && ((piece.front() == '<' && piece.back() == '>') ||
                              (piece.front() == '[' && piece.back() == ']'));
}

void check_blank(const std::string& piece, PieceType type, const std::string& name) {
  const bool is_blank = type == PieceType::unknown || type == PieceType::control ||
                        type == PieceType::unused ||
                        (type == PieceType::user_defined && is_mark(piece));
  if (is_blank) return;
  throw UserError(fmt::format("{}: piece 0 is '{}', which texts contain; scion's blank is piece 0",
                              name, piece),
                  "train it with --control_symbols=<blk> --unk_id=1 --bos_id=-1 --eos_id=-1, or "
                  "with 'scion prepare'");
}

}  // namespace

struct Tokenizer::Impl {
  sentencepiece::SentencePieceProcessor processor;
};

void TokenizerConfig::declare(Options& options) {
  options.add("kind", kind, "what pieces are made of");
  options
      .add("vocabulary", vocabulary,
           "pieces, blank included; the text decides where the kind is char")
      .range(3, 1000000);
}

Tokenizer::Tokenizer(std::string serialised, const std::string& name)
    : serialised_(std::move(serialised)), impl_(std::make_unique<Impl>()) {
  std::string reason;
  try {
    const auto status = impl_->processor.LoadFromSerializedProto(serialised_);
    if (!status.ok()) reason = status.message();
  } catch (const std::exception& error) {  // of the trie that holds the pieces, e.g. an empty one
    reason = error.what();
  }
  if (reason.empty() && impl_->processor.GetPieceSize() < 2) reason = "it has no pieces";
  if (!reason.empty())
    throw UserError(fmt::format("{} is not a SentencePiece model: {}", name, reason),
                    "name a tokenizer.model that 'scion prepare' or SentencePiece wrote");
  const SentencePieceFacts facts = sentencepiece_facts(serialised_);
  check_blank(impl_->processor.IdToPiece(0), facts.first_piece, name);
  normaliser_ = facts.normaliser;
}

Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  std::string serialised = read_file(path);
  refuse_lfs_pointer(serialised, path);
  return Tokenizer(std::move(serialised), path.string());
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
        fmt::format("cannot train a {} tokenizer of {} pieces on {} texts: {}",
                    word_of(config.kind), config.vocabulary, texts.size(),
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

std::optional<int64_t> Tokenizer::unknown() const {
  const int id = impl_->processor.unk_id();
  return id > 0 ? std::optional<int64_t>(id) : std::nullopt;
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

std::string Tokenizer::spelled(std::string_view text) const {
  constexpr std::string_view space = "\xE2\x96\x81";  // U+2581 is a space in a piece
  std::vector<std::string> pieces;
  std::vector<int> ids;
  impl_->processor.Encode(text, &pieces).IgnoreError();
  impl_->processor.Encode(text, &ids).IgnoreError();
  std::string joined;
  for (size_t i = 0; i < pieces.size(); ++i)
    if (impl_->processor.IsByte(ids[i]))  // "<0xE2>"
      joined += static_cast<char>(std::stoi(pieces[i].substr(3, 2), nullptr, 16));
    else
      joined += pieces[i];
  for (size_t at = 0; (at = joined.find(space, at)) != std::string::npos;)
    joined.replace(at, space.size(), " ");
  return fmt::format("{}", fmt::join(split_words(joined), " "));
}

bool Tokenizer::restores(std::string_view text) const {
  return split_words(decode(encode(text))) == split_words(text);
}

std::string piece_difference(const Tokenizer& one, const std::string& name_of_one,
                             const Tokenizer& other, const std::string& name_of_other) {
  for (int64_t id = 0; id < std::min(one.size(), other.size()); ++id)
    if (one.piece(id) != other.piece(id))
      return fmt::format("piece {} is '{}' in {} and '{}' in {}", id, one.piece(id), name_of_one,
                         other.piece(id), name_of_other);
  if (one.size() == other.size()) return "";
  return fmt::format("{} has {} pieces, {} {}", name_of_one, one.size(), name_of_other,
                     other.size());
}

}  // namespace scion
