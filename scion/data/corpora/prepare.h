// Prepares a corpus for training: a checked manifest and a tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scion/data/corpora/corpus.h"
#include "scion/text/normalisation.h"
#include "scion/text/tokenizer.h"

namespace scion {

class Options;

struct PrepareConfig {
  CorpusFormat format = CorpusFormat::automatic;
  CorpusOptions corpus;
  int64_t channel = -1;  ///< where the corpus names none; -1: all, averaged
  /// Text normalisation, applied first.
  NormalisationConfig text{.unicode = UnicodeForm::nfkc, .letter_case = LetterCase::lower};
  TokenizerConfig tokenizer;
  std::string tokenizer_path;              ///< an existing tokenizer; empty: one is trained
  int64_t dev_speakers = 0;                ///< held out as dev.jsonl (see split_speakers)
  double skip_share = default_skip_share;  ///< the most of a corpus that may be skipped

  void declare(Options& options);
};

/// Reads the corpus `source` (see corpus.h), trains a tokenizer (without the held-out speakers),
/// checks every audio file by decoding it, measures its length, and writes the folder `out`, which
/// must not exist: manifest.jsonl, dev.jsonl where speakers are held out, tokenizer.model,
/// train.toml (a configuration to train with), skipped.jsonl, summary.json. Returns the summary.
/// UserError when more than `skip_share` of the utterances cannot be used; all of them are then
/// listed in `out`.skipped.jsonl. Utterances that a tokenizer trained here cannot spell are
/// skipped; with an existing tokenizer, and among the held-out, they stay: in a test set they
/// count.
nlohmann::ordered_json prepare(const PrepareConfig& config, const std::filesystem::path& source,
                               const std::filesystem::path& out);

}  // namespace scion
