#include "scion/audio/audio_file.h"

#include <sndfile.h>
#include <soxr.h>

#include <array>
#include <cstring>
#include <fstream>

#include "scion/core/error.h"
#include "scion/core/files/file.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

struct CloseSoundFile {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, CloseSoundFile>;

[[noreturn]] void fail_truncated(const fs::path& path, const std::string& detail) {
  throw UserError(fmt::format("audio file is cut short: {} ({})", path.string(), detail),
                  "copy or convert the file again");
}

/// libsndfile silently shortens a WAV file's length to the data present, so compare the RIFF size
/// with the file's. Programs that write to a pipe leave a huge size, which is accepted.
void check_wav_is_whole(const fs::path& path, uintmax_t file_size) {
  std::ifstream in(path, std::ios::binary);
  std::array<unsigned char, 8> head{};
  if (!in.read(reinterpret_cast<char*>(head.data()), head.size())) return;
  if (std::memcmp(head.data(), "RIFF", 4) != 0) return;
  const uint64_t stated = 8 + (uint64_t(head[4]) | uint64_t(head[5]) << 8 |
                               uint64_t(head[6]) << 16 | uint64_t(head[7]) << 24);
  if (stated > file_size && stated < 0x7fff0000)
    fail_truncated(path, fmt::format("{} bytes of {}", file_size, stated));
}

SoundFile open_audio(const fs::path& path, SF_INFO& info) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    throw UserError("audio file is missing: " + path.string(),
                    "check audio_filepath: paths are relative to the manifest");
  if (!fs::is_regular_file(path, ignored))
    throw UserError("not an audio file: " + path.string(), "name a file, not a folder");
  const uintmax_t size = fs::file_size(path, ignored);
  if (size == 0)
    throw UserError("audio file is empty (0 bytes): " + path.string(), "copy the file again");
  info = {};
  SoundFile file(sf_open(path.c_str(), SFM_READ, &info));
  if (!file) {
    const int error = sf_error(nullptr);
    if (error == SF_ERR_MALFORMED_FILE) fail_truncated(path, "the format's structure is broken");
    throw UserError(
        fmt::format("cannot read audio file {}: {}", path.string(), sf_strerror(nullptr)),
        error == SF_ERR_SYSTEM ? "check that you may read it"
                               : "convert it to WAV, FLAC or Ogg Opus");
  }
  check_wav_is_whole(path, size);
  // libsndfile finds no last page of an Ogg stream that was cut.
  if (info.frames == std::numeric_limits<sf_count_t>::max())
    fail_truncated(path, "the stream has no end");
  return file;
}

/// Frames [begin, end) of a file; end < 0: all that there are.
struct Range {
  sf_count_t begin = 0, end = -1;
};

/// The part in frames. UserError when the file does not have it.
Range find_range(const AudioPart& part, const SF_INFO& info, const fs::path& path) {
  if (part.channel >= info.channels)
    throw UserError(fmt::format("{} has {} channels, and channel {} is wanted (counted from 0)",
                                path.string(), info.channels, part.channel),
                    "choose another channel, or none for the average of all");
  if (!part.is_segment()) return {};
  constexpr double most_overshoot_seconds = 0.1;  // times in corpora are rounded
  const double rate = info.samplerate, length = double(info.frames) / rate;
  const double end = part.seconds > 0 ? part.begin_seconds + part.seconds : length;
  if (info.frames > 0 && (part.begin_seconds >= length || end > length + most_overshoot_seconds))
    throw UserError(fmt::format("{} lasts {:.3f} s, and {:.3f} s to {:.3f} s are wanted",
                                path.string(), length, part.begin_seconds, end),
                    "check the segment's times");
  Range range{std::llround(part.begin_seconds * rate),
              part.seconds > 0 ? std::llround(end * rate) : -1};
  if (info.frames > 0) range.end = std::min<sf_count_t>(range.end, info.frames);
  return range;
}

/// Goes to a frame; what cannot be sought in is read up to there. So is MP3: a frame needs bits of
/// those before it, and after a jump the first ones are noise.
void go_to(SNDFILE* file, const SF_INFO& info, sf_count_t frame, std::vector<float>& block) {
  const bool mp3 = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG;
  if (frame == 0 || (info.seekable && !mp3 && sf_seek(file, frame, SEEK_SET) == frame)) return;
  const auto most = static_cast<sf_count_t>(block.size()) / info.channels;
  for (sf_count_t left = frame; left > 0;) {
    const sf_count_t count = sf_readf_float(file, block.data(), std::min(left, most));
    if (count <= 0) return;
    left -= count;
  }
}

/// The range's frames of one channel, or the average of all.
std::vector<float> read_mono(SNDFILE* file, const SF_INFO& info, Range range, int64_t channel) {
  constexpr sf_count_t block_frames = 1 << 15;
  const int channels = info.channels;
  const int first = channel < 0 ? 0 : static_cast<int>(channel);
  const int used = channel < 0 ? channels : 1;
  std::vector<float> block(static_cast<size_t>(block_frames * channels)), mono;
  go_to(file, info, range.begin, block);
  sf_count_t left =
      range.end < 0 ? std::numeric_limits<sf_count_t>::max() : range.end - range.begin;
  while (left > 0) {
    const sf_count_t count = sf_readf_float(file, block.data(), std::min(left, block_frames));
    if (count <= 0) break;
    left -= count;
    const size_t start = mono.size();
    mono.resize(start + static_cast<size_t>(count));
    for (sf_count_t i = 0; i < count; ++i) {
      float sum = 0;
      for (int c = first; c < first + used; ++c)
        sum += block[static_cast<size_t>(i * channels + c)];
      mono[start + static_cast<size_t>(i)] = sum / static_cast<float>(used);
    }
  }
  return mono;
}

void append_little_endian(std::string& out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

}  // namespace

Audio read_audio(const fs::path& path, int64_t sample_rate, const AudioPart& part) {
  SF_INFO info;
  const SoundFile file = open_audio(path, info);
  const Range range = find_range(part, info, path);
  Audio audio{read_mono(file.get(), info, range, part.channel), info.samplerate};
  const auto got = static_cast<sf_count_t>(audio.samples.size());
  const sf_count_t expected = (range.end < 0 ? info.frames : range.end) - range.begin;
  if (got < expected) fail_truncated(path, fmt::format("{} samples of {}", got, expected));
  if (audio.samples.empty())
    throw UserError("audio file has no samples: " + path.string(), "leave it out of the manifest");
  if (!std::all_of(audio.samples.begin(), audio.samples.end(),
                   [](float x) { return std::isfinite(x); }))
    throw UserError("audio file has samples that are not finite: " + path.string(),
                    "convert it again, as 16-bit samples");
  if (audio.sample_rate != sample_rate) {
    audio.samples = resample(audio.samples, double(audio.sample_rate), double(sample_rate));
    audio.sample_rate = sample_rate;
  }
  return audio;
}

double audio_seconds(const fs::path& path) {
  SF_INFO info;
  const SoundFile file = open_audio(path, info);
  // A FLAC file written to a pipe does not state its length.
  const auto frames =
      info.frames > 0 ? double(info.frames) : double(read_mono(file.get(), info, {}, -1).size());
  if (frames == 0)
    throw UserError("audio file has no samples: " + path.string(), "leave it out of the manifest");
  return frames / info.samplerate;
}

std::vector<float> read_raw(std::FILE* file, size_t count) {
  std::vector<int16_t> integers(count);
  integers.resize(std::fread(integers.data(), sizeof(int16_t), count, file));
  std::vector<float> samples;
  samples.reserve(integers.size());
  for (const int16_t value : integers) samples.push_back(static_cast<float>(value) / 32768);
  return samples;
}

std::vector<float> resample(const std::vector<float>& samples, double from, double to) {
  if (from == to || samples.empty()) return samples;
  std::vector<float> out(
      static_cast<size_t>(std::max(1LL, std::llround(double(samples.size()) * to / from))));
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  size_t written = 0;
  const soxr_error_t error =
      soxr_oneshot(from, to, 1, samples.data(), samples.size(), nullptr, out.data(), out.size(),
                   &written, nullptr, &quality, nullptr);
  if (error) throw Failure(fmt::format("resampling {} Hz to {} Hz failed: {}", from, to, error));
  // soxr may stop a sample early at the end of its input: the rest stays zero.
  return out;
}

void write_wav(const fs::path& path, const Audio& audio) {
  const auto data_bytes = static_cast<uint32_t>(2 * audio.samples.size());
  const auto rate = static_cast<uint32_t>(audio.sample_rate);
  std::string bytes;
  bytes.reserve(44 + data_bytes);
  bytes += "RIFF";
  append_little_endian(bytes, 36 + data_bytes, 4);
  bytes += "WAVEfmt ";
  append_little_endian(bytes, 16, 4);        // size of the format chunk
  append_little_endian(bytes, 1, 2);         // PCM
  append_little_endian(bytes, 1, 2);         // channels
  append_little_endian(bytes, rate, 4);      // samples a second
  append_little_endian(bytes, 2 * rate, 4);  // bytes a second
  append_little_endian(bytes, 2, 2);         // bytes a frame
  append_little_endian(bytes, 16, 2);        // bits a sample
  bytes += "data";
  append_little_endian(bytes, data_bytes, 4);
  for (const float x : audio.samples) {
    const long value = std::clamp(std::lrint(double(x) * 32768), -32768L, 32767L);
    append_little_endian(bytes, static_cast<uint32_t>(static_cast<uint16_t>(value)), 2);
  }
  write_file(path, bytes);
}

}  // namespace scion
