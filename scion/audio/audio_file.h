// Audio files → samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "scion/audio/audio_quality.h"

namespace scion {

struct AudioSource;

struct Audio {
  std::vector<float> samples;  ///< mono, in [-1, 1] unless the file goes beyond
  int64_t sample_rate = 0;     ///< Hz
  double seconds() const { return sample_rate ? double(samples.size()) / double(sample_rate) : 0; }
};

/// A part of a file: a segment of its time, one of its channels.
struct AudioPart {
  double begin_seconds = 0;
  double seconds = 0;    ///< 0: up to the end
  int64_t channel = -1;  ///< counted from 0; -1: all of them, averaged
  bool is_segment() const { return begin_seconds > 0 || seconds > 0; }
  bool operator==(const AudioPart&) const = default;
};

/// Reads MPEG audio (libmpg123) and what libsndfile reads (WAV, FLAC, Ogg Opus and Vorbis, …), as
/// mono, resampled (soxr, high quality) to `sample_rate`. The length is what decoding gives,
/// whatever a header says or leaves open. Of joined files everything is read. Only the part is
/// decoded if the format allows seeking.
/// `quality`: where to put what the decoded samples are like, before they are averaged and
/// resampled.
/// UserError naming the file: missing, empty, not audio, not whole, non-finite samples, a part that
/// ends more than 0.1 s after the file (up to that it ends with the file), a channel that does not
/// exist.
Audio read_audio(const std::filesystem::path& path, int64_t sample_rate, const AudioPart& part = {},
                 AudioQuality* quality = nullptr);

/// The same of a file that is open.
Audio read_audio(const AudioSource& source, const std::filesystem::path& path, int64_t sample_rate,
                 const AudioPart& part, AudioQuality* quality = nullptr);

/// Length in seconds of what read_audio() reads, without decoding where the format allows it.
double audio_seconds(const std::filesystem::path& path);

/// Band-limited resampling by `to / from`.
std::vector<float> resample(const std::vector<float>& samples, double from, double to);

/// 16-bit WAV, written whole or not at all.
void write_wav(const std::filesystem::path& path, const Audio& audio);

}  // namespace scion
