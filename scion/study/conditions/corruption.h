// Corruption of clean speech at fixed intensities: noise, babble, reverberation, speed. Random
// numbers are counter-based, so that the same configuration gives the same samples everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scion {

class Options;

/// Values are drawn per utterance between low and high. Levels are relative to the mean power of
/// the (reverberant) speech over the whole utterance.
struct CorruptionConfig {
  double noise_snr_low_db = 15, noise_snr_high_db = 25;    ///< pink noise
  double babble_snr_low_db = 15, babble_snr_high_db = 25;  ///< sum of other speakers' utterances
  int64_t babble_speakers = 4;
  double reverberation_seconds_low = 0.15, reverberation_seconds_high = 0.35;  ///< RT60
  /// Energy of the direct sound divided by that of all reflections.
  double direct_to_reverberant_low_db = 3, direct_to_reverberant_high_db = 9;
  double speed_low = 0.93, speed_high = 1.07;
  int64_t seed = 1;

  void declare(Options& options);
};

/// Corrupts one utterance: speed, then reverberation (the direct sound followed by Gaussian noise
/// that decays by 60 dB in the drawn time), then babble and pink noise. `others`: samples of other
/// speakers, chosen by the caller and repeated as needed. The result has the length of the speech
/// at its new speed and is scaled down if its peak exceeds 1.
std::vector<float> corrupt(const std::vector<float>& samples, int64_t sample_rate,
                           const std::vector<std::vector<float>>& others,
                           const CorruptionConfig& config, uint64_t utterance);

}  // namespace scion
