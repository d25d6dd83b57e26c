#include "scion/audio/audio_file.h"

#include <soxr.h>

#include "scion/audio/audio_source.h"
#include "scion/audio/containers/broken_audio.h"
#include "scion/core/error.h"
#include "scion/core/files/file.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// UserError when the file does not have the part.
void check_part(const AudioPart& part, const AudioSource& source, const fs::path& path) {
  for (const AudioSection& section : source.sections)
    if (part.channel >= section.channels)
      throw UserError(fmt::format("{} has {} channels, and channel {} is wanted (counted from 0)",
                                  path.string(), section.channels, part.channel),
                      "choose another channel, or none for the average of all");
  if (!part.is_segment()) return;
  constexpr double most_overshoot_seconds = 0.1;  // times in corpora are rounded
  const double length = source.seconds();
  const double end = part.seconds > 0 ? part.begin_seconds + part.seconds : length;
  if (part.begin_seconds >= length || end > length + most_overshoot_seconds)
    throw UserError(fmt::format("{} lasts {:.3f} s, and {:.3f} s to {:.3f} s are wanted",
                                path.string(), length, part.begin_seconds, end),
                    "check the segment's times");
}

/// Decodes the frames [begin, end) to the average of the channels, or one of them.
void append_mono(std::vector<float>& mono, const AudioSection& section, int64_t begin, int64_t end,
                 int64_t channel, QualityMeter* meter) {
  const auto channels = static_cast<size_t>(section.channels);
  const size_t first = channel < 0 ? 0 : static_cast<size_t>(channel);
  const size_t used = channel < 0 ? channels : 1;
  // A broken header may promise any number: beyond this, memory is taken as samples come.
  constexpr int64_t most_promised = int64_t{1} << 25;
  mono.reserve(mono.size() + static_cast<size_t>(std::min(end - begin, most_promised)));
  section.decode(begin, end, [&](std::span<const float> block) {
    const size_t start = mono.size(), count = block.size() / channels;
    mono.resize(start + count);
    for (size_t i = 0; i < count; ++i) {
      float sum = 0;
      for (size_t c = first; c < first + used; ++c) sum += block[i * channels + c];
      mono[start + i] = sum / static_cast<float>(used);
    }
    if (meter) meter->add(block, channels, first, used, std::span(mono).subspan(start));
  });
}

/// Joins stretches of different rates.
class Joined {
 public:
  explicit Joined(int64_t sample_rate) : audio_{{}, sample_rate} {}

  /// Where samples of this rate go.
  std::vector<float>& samples_at(int64_t rate) {
    if (rate != rate_) finish();
    rate_ = rate;
    return rate == audio_.sample_rate ? audio_.samples : pending_;
  }

  Audio& finish() {
    if (!pending_.empty()) {
      std::vector<float> samples = resample(pending_, double(rate_), double(audio_.sample_rate));
      if (audio_.samples.empty())
        audio_.samples = std::move(samples);
      else
        audio_.samples.insert(audio_.samples.end(), samples.begin(), samples.end());
      pending_.clear();
    }
    return audio_;
  }

 private:
  Audio audio_;
  int64_t rate_ = 0;
  std::vector<float> pending_;  // of rate_
};

void append_little_endian(std::string& out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

}  // namespace

Audio read_audio(const fs::path& path, int64_t sample_rate, const AudioPart& part,
                 AudioQuality* quality) {
  return read_audio(open_audio(path), path, sample_rate, part, quality);
}

Audio read_audio(const AudioSource& source, const fs::path& path, int64_t sample_rate,
                 const AudioPart& part, AudioQuality* quality) {
  check_part(part, source, path);
  Joined joined(sample_rate);
  QualityMeter meter;
  double before = 0;  // seconds
  for (const AudioSection& section : source.sections) {
    const auto rate = static_cast<double>(section.sample_rate);
    const double start = std::round(before * rate * 1024) / 1024;  // whole where rates are equal
    const auto frame_at = [&](double seconds) {
      return std::clamp<int64_t>(std::llround(seconds * rate - start), 0, section.frames);
    };
    const int64_t begin = frame_at(part.begin_seconds);
    const int64_t end =
        part.seconds > 0 ? frame_at(part.begin_seconds + part.seconds) : section.frames;
    if (begin < end)
      append_mono(joined.samples_at(section.sample_rate), section, begin, end, part.channel,
                  quality ? &meter : nullptr);
    before += section.seconds();
  }
  Audio& audio = joined.finish();
  if (audio.samples.empty()) fail_without_samples(path);
  if (!std::all_of(audio.samples.begin(), audio.samples.end(),
                   [](float x) { return std::isfinite(x); }))
    throw UserError("audio file has samples that are not finite: " + path.string(),
                    "convert it again, as 16-bit samples");
  if (quality) *quality = meter.quality();
  return std::move(audio);
}

double audio_seconds(const fs::path& path) {
  const double seconds = open_audio(path).seconds();
  if (seconds == 0) fail_without_samples(path);
  return seconds;
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
