// Which utterances can be used, and how long they are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "scion/data/manifest.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// An utterance that was left out, and why. At most 5 % of a manifest may be.
struct Skipped {
  std::string id, reason;
};

/// What decoding an utterance's audio showed.
struct AudioCheck {
  double seconds = 0;
  std::string reason;  ///< why it cannot be used, "" when it can
};

/// Decodes every file, on all processors, with progress shown under `title`. Audio with fewer than
/// `shortest_samples` samples at `sample_rate` cannot be used.
std::vector<AudioCheck> check_audio(const std::vector<Utterance>& utterances, int64_t sample_rate,
                                    int64_t shortest_samples, const std::string& title);

/// Why the text cannot be used: no text, characters outside the alphabet. "" when it can.
std::string check_text(const std::string& text, const Tokenizer& tokenizer);

/// UserError that names the first few when more than 5 % of `total` are skipped.
void check_skipped_share(const std::filesystem::path& source, const std::vector<Skipped>& skipped,
                         size_t total);

/// {"id", "reason"}
std::string skipped_line(const Skipped& skipped);

/// Writes `skipped.jsonl`: one skipped_line a line.
void write_skipped(const std::filesystem::path& path, const std::vector<Skipped>& skipped);

}  // namespace scion
