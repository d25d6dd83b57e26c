// Audio files → samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace scion {

struct Audio {
  std::vector<float> samples;  ///< mono, in [-1, 1]
  int64_t sample_rate = 0;     ///< Hz
  double seconds() const { return sample_rate ? double(samples.size()) / double(sample_rate) : 0; }
};

/// What to take of a file.
struct AudioPart {
  double begin_seconds = 0;
  double seconds = 0;    ///< 0: up to the end
  int64_t channel = -1;  ///< counted from 0; -1: all of them, averaged
  bool is_segment() const { return begin_seconds > 0 || seconds > 0; }
  bool operator==(const AudioPart&) const = default;
};

/// Whatever libsndfile reads (WAV, FLAC, Ogg Opus and Vorbis, MP3, …), as mono, resampled (soxr,
/// high quality) to `sample_rate`. Only the part is decoded where the format can be sought in.
/// UserError naming the file: missing, empty, not audio, truncated, non-finite samples, a part that
/// ends more than 0.1 s behind the file (before that it ends with the file), a channel that is not
/// there.
Audio read_audio(const std::filesystem::path& path, int64_t sample_rate,
                 const AudioPart& part = {});

/// Length in seconds without decoding where the format allows it.
double audio_seconds(const std::filesystem::path& path);

/// Band-limited resampling by `to / from`.
std::vector<float> resample(const std::vector<float>& samples, double from, double to);

/// 16-bit WAV, written whole or not at all.
void write_wav(const std::filesystem::path& path, const Audio& audio);

}  // namespace scion
