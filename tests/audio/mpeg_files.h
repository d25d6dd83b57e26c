// MP3 files of tones, with and without what encoders put around the frames.
#pragma once

#include <sndfile.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "scion/audio/containers/mpeg_frames.h"
#include "tests/audio/audio_samples.h"

namespace scion::testing {

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

struct MpegSettings {
  int rate = 16000, channels = 1;
  double quality = 0.3;  ///< of libsndfile: 0 is best
};

/// `seconds` of voice as LAME encodes it through libsndfile, at a constant bit rate, with its Info
/// frame.
inline std::string mp3_with_info(const std::filesystem::path& scratch, double seconds,
                                 const MpegSettings& settings = {}, uint64_t seed = 5) {
  SF_INFO info{};
  info.samplerate = settings.rate;
  info.channels = settings.channels;
  info.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
  SNDFILE* file = sf_open(scratch.c_str(), SFM_WRITE, &info);
  EXPECT_NE(file, nullptr) << sf_strerror(nullptr);
  int constant = SF_BITRATE_MODE_CONSTANT;
  double quality = settings.quality;
  sf_command(file, SFC_SET_BITRATE_MODE, &constant, sizeof constant);
  sf_command(file, SFC_SET_COMPRESSION_LEVEL, &quality, sizeof quality);
  std::vector<float> samples;
  for (const float x : voice(seconds, seed, settings.rate))
    samples.insert(samples.end(), static_cast<size_t>(settings.channels), x);
  sf_write_float(file, samples.data(), static_cast<sf_count_t>(samples.size()));
  sf_close(file);
  return bytes_of(scratch);
}

/// The frames alone, as encoders write them to a pipe.
inline std::string without_info(const std::string& mp3) {
  const MpegStream stream = read_mpeg_frames(as_bytes(mp3), "test.mp3");
  std::string frames;
  for (const MpegFrame& frame : stream.frames) frames += mp3.substr(frame.begin, frame.bytes);
  return frames;
}

inline std::string mp3_without_info(const std::filesystem::path& scratch, double seconds,
                                    const MpegSettings& settings = {}, uint64_t seed = 5) {
  return without_info(mp3_with_info(scratch, seconds, settings, seed));
}

inline int64_t mpeg_samples(const std::string& mp3) {
  int64_t samples = 0;
  for (const MpegFrame& frame : read_mpeg_frames(as_bytes(mp3), "test.mp3").frames)
    samples += frame.header.samples;
  return samples;
}

/// A tag before the frames, with a picture of `bytes` bytes.
inline std::string id3v2_tag(size_t bytes) {
  std::string tag = {'I', 'D', '3', 3, 0, 0};
  for (int shift = 21; shift >= 0; shift -= 7)
    tag.push_back(static_cast<char>(bytes >> shift & 0x7f));
  for (size_t i = 0; i < bytes; ++i) tag.push_back(static_cast<char>(i % 7 == 0 ? 0xff : 0xfb));
  return tag;
}

/// A tag after the frames.
inline std::string id3v1_tag() { return "TAG" + std::string(125, ' '); }

/// A tag after the frames, with a header and a footer around `bytes` bytes.
inline std::string ape_tag(size_t bytes) {
  const auto number = [](size_t value) {
    std::string text;
    for (int i = 0; i < 4; ++i) text.push_back(static_cast<char>(value >> (8 * i) & 0xff));
    return text;
  };
  const auto end = [&](size_t flags) {
    return "APETAGEX" + number(2000) + number(bytes + 32) + number(1) + number(flags) +
           std::string(8, '\0');
  };
  return end(0xa0000000) + std::string(bytes, '\xff') + end(0x80000000);
}

}  // namespace scion::testing
