// Whether an utterance can be used, and why not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scion/audio/audio_file.h"
#include "scion/audio/fbank.h"
#include "scion/data/manifest/manifest.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// Decoded audio, or why it cannot be used.
struct UsableAudio {
  Audio audio;
  AudioQuality quality;
  std::string reason;  ///< "" when it can
  std::string hint = {};
};

/// Unusable: audio that cannot be decoded, or with fewer than `shortest_samples` samples at
/// `sample_rate`.
UsableAudio read_usable_audio(const Utterance& utterance, int64_t sample_rate,
                              int64_t shortest_samples);

/// The fewest samples that give a frame of features at each of the speeds.
int64_t shortest_samples(const Fbank& fbank, const std::vector<double>& speeds);

/// Why a duration in a manifest cannot be relied on for planning batches; "" when it differs from
/// the audio's by at most 5 % or 0.1 s.
std::string duration_fault(double seconds, double listed_seconds);

/// "no text" for a blank text; texts that hold U+FFFD, which other programs write for what they
/// could not decode; else "".
std::string text_fault(const std::string& text);
/// The same, and texts with characters outside the tokenizer's alphabet.
std::string text_fault(const std::string& text, const Tokenizer& tokenizer);

/// Result of decoding an utterance's audio.
struct AudioCheck {
  double seconds = 0;
  std::string reason;  ///< why it cannot be used, "" when it can
  AudioQuality quality = {};
  std::string hint = {};
};

/// Whether a reason says that the audio is whole, but shorter than a frame of features.
bool is_too_short(const std::string& reason);

/// read_usable_audio() for every utterance, on all processors, with progress shown under `title`.
std::vector<AudioCheck> check_audio(const std::vector<Utterance>& utterances, int64_t sample_rate,
                                    int64_t shortest_samples, const std::string& title);

}  // namespace scion
