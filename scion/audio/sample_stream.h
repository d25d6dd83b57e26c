// Samples that arrive on a stream, as a program pipes them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace scion {

/// 16-bit samples of one channel, little-endian, without a header, as arecord and ffmpeg write
/// them; or behind a WAV header that says just that, which is skipped.
class SampleStream {
 public:
  /// UserError with ffmpeg's command for it when the stream begins as an audio file of another kind
  /// (WAV of another rate or form, FLAC, Ogg, MP3, AAC, MP4, WebM, AIFF, AU, CAF, …).
  SampleStream(std::FILE* file, int64_t sample_rate);

  /// Up to `count` samples in [-1, 1]; none at the end.
  std::vector<float> read(size_t count);
  /// At the end: the stream had an odd number of bytes, the last of which is no sample.
  bool ends_inside_a_sample() const { return odd_; }

 private:
  size_t read_bytes(unsigned char* to, size_t count);
  bool look_ahead(size_t count);
  void skip_wav_header(int64_t sample_rate);

  std::FILE* file_;
  std::vector<unsigned char> ahead_;  // read, and not yet taken
  std::optional<uint64_t> left_;      // bytes of samples, where a header says how many
  bool odd_ = false;
};

}  // namespace scion
