// Text ↔ token ids, by SentencePiece. Blank is id 0, inside the vocabulary size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scion {

class Options;

struct TokenizerConfig {
  std::string kind = "char";  ///< char, bpe, unigram
  int64_t vocabulary = 500;   ///< pieces, blank included; ignored (taken from the text) for char
  void declare(Options& options);
};

class Tokenizer {
 public:
  /// From a serialised SentencePiece model, as in a model file.
  explicit Tokenizer(std::string serialised);
  static Tokenizer load(const std::filesystem::path& path);
  /// Trains on `texts`; piece 0 is `<blk>`, piece 1 `<unk>`, no sentence marks.
  static Tokenizer train(const std::vector<std::string>& texts, const TokenizerConfig& config);

  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  int64_t size() const;  ///< vocabulary with blank
  std::vector<int64_t> encode(std::string_view text) const;
  std::string decode(const std::vector<int64_t>& tokens) const;
  const std::string& serialised() const { return serialised_; }
  std::string piece(int64_t id) const;
  /// Characters of `text` that no piece covers, each once (UTF-8).
  std::vector<std::string> uncovered(std::string_view text) const;

 private:
  std::string serialised_;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace scion
