// Text ↔ token ids, by SentencePiece. Blank is id 0, inside the vocabulary size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scion/core/option_words.h"

namespace scion {

class Options;

/// What pieces are made of.
enum class PieceKind { character, bpe, unigram };
template <>
inline constexpr std::array option_words<PieceKind>{"char", "bpe", "unigram"};

struct TokenizerConfig {
  PieceKind kind = PieceKind::character;
  int64_t vocabulary = 500;  ///< pieces, blank included; ignored (taken from the text) for char
  void declare(Options& options);
};

class Tokenizer {
 public:
  /// From a serialised SentencePiece model, as in a model file; messages call it `name`. UserError
  /// when it is none, or when its piece 0 cannot be the blank: an ordinary piece, which texts
  /// contain.
  explicit Tokenizer(std::string serialised, const std::string& name = "the tokenizer");
  static Tokenizer load(const std::filesystem::path& path);
  /// Trains on `texts`; piece 0 is `<blk>`, piece 1 `<unk>`, no sentence marks, and no rules that
  /// change a text before it is cut: texts are normalised already (normalise_text).
  static Tokenizer train(const std::vector<std::string>& texts, const TokenizerConfig& config);

  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  int64_t size() const;  ///< vocabulary with blank
  std::vector<int64_t> encode(std::string_view text) const;
  std::string decode(const std::vector<int64_t>& tokens) const;
  const std::string& serialised() const { return serialised_; }
  std::string piece(int64_t id) const;
  /// The piece of characters that no other piece covers.
  std::optional<int64_t> unknown() const;
  /// Characters of `text` that no piece covers, each once (UTF-8).
  std::vector<std::string> uncovered(std::string_view text) const;

  /// The rules by which it changes a text before cutting it, e.g. "nmt_nfkc"; "": none, as in those
  /// that train() makes.
  const std::string& normaliser() const { return normaliser_; }
  /// `text` as the pieces spell it: after the tokenizer's own rules, a space between words.
  /// Characters that no piece covers stay.
  std::string spelled(std::string_view text) const;
  /// Whether decode(encode(text)) has the words of `text`.
  bool restores(std::string_view text) const;

 private:
  std::string serialised_, normaliser_;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The first difference between two vocabularies, "piece 7 is 'x' in A and 'y' in B", or "A has 60
/// pieces, B 40"; "" when they have the same pieces in the same order.
std::string piece_difference(const Tokenizer& one, const std::string& name_of_one,
                             const Tokenizer& other, const std::string& name_of_other);

}  // namespace scion
