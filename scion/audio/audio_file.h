// Audio files → samples.
#pragma once

#include <filesystem>
#include <vector>

namespace scion {

struct Audio {
  std::vector<float> samples;  ///< mono, in [-1, 1]
  int64_t sample_rate = 0;     ///< Hz
  double seconds() const { return sample_rate ? double(samples.size()) / double(sample_rate) : 0; }
};

/// Whatever libsndfile reads, mixed to mono, resampled (soxr, high quality) to `sample_rate`.
/// UserError naming the file: missing, empty, not audio, truncated, non-finite samples.
Audio read_audio(const std::filesystem::path& path, int64_t sample_rate);

/// Length in seconds without decoding where the format allows it.
double audio_seconds(const std::filesystem::path& path);

/// Band-limited resampling by `to / from`.
std::vector<float> resample(const std::vector<float>& samples, double from, double to);

/// 16-bit WAV, written whole or not at all.
void write_wav(const std::filesystem::path& path, const Audio& audio);

}  // namespace scion
