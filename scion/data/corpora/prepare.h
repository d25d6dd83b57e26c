// A corpus as it comes → a checked manifest and a tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "scion/text/normalisation.h"
#include "scion/text/tokenizer.h"

namespace scion {

class Options;

struct PrepareConfig {
  std::string format = "auto";  ///< of the corpus: one of corpus_formats()
  int64_t channel = -1;         ///< where the corpus names none; -1: all, averaged
  /// Of every text, before anything else.
  NormalisationConfig text{.unicode = "nfkc", .letter_case = "lower"};
  TokenizerConfig tokenizer;
  std::string tokenizer_path;  ///< a tokenizer that exists, instead of training one
  int64_t dev_speakers = 0;    ///< whole speakers set aside as dev.jsonl (see split_speakers)

  void declare(Options& options);
};

/// Reads the corpus `source` (see corpus.h), checks every audio file by decoding it,
/// measures its length, trains a tokenizer (on what is not set aside), and writes the folder
/// `out`, which must not exist: manifest.jsonl, dev.jsonl where speakers are set aside,
/// tokenizer.model, train.toml (a configuration to train with), skipped.jsonl, summary.json. Prints
/// what it found to stdout. UserError when more than 5 % of the utterances cannot be used.
void prepare(const PrepareConfig& config, const std::filesystem::path& source,
             const std::filesystem::path& out);

}  // namespace scion
