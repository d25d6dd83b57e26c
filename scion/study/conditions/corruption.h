// Test conditions made from clean speech: noise, babble, reverberation, speed, at fixed
// intensities. Counter-based, so that the same recipe gives the same samples everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scion {

class Options;

/// Each utterance draws its own values between low and high. Levels are relative to the mean power
/// of the (reverberant) speech over the whole utterance.
struct CorruptionConfig {
  double noise_snr_low_db = 15, noise_snr_high_db = 25;    ///< pink noise
  double babble_snr_low_db = 15, babble_snr_high_db = 25;  ///< other speakers' utterances, summed
  int64_t babble_speakers = 4;
  double reverberation_seconds_low = 0.15, reverberation_seconds_high = 0.35;  ///< RT60
  /// Energy of the direct sound over that of all reflections.
  double direct_to_reverberant_low_db = 3, direct_to_reverberant_high_db = 9;
  double speed_low = 0.93, speed_high = 1.07;
  int64_t seed = 1;

  void declare(Options& options);
};

/// One utterance of the condition: speed, then reverberation (Gaussian noise that decays by 60 dB
/// in the drawn time behind the direct sound), then babble and pink noise. `others`: samples of
/// other speakers, drawn by the caller; repeated as often as needed. Its length is that of the
/// speech at its new speed; scaled down where it would exceed 1.
std::vector<float> corrupt(const std::vector<float>& samples, int64_t sample_rate,
                           const std::vector<std::vector<float>>& others,
                           const CorruptionConfig& config, uint64_t utterance);

}  // namespace scion
