#include "scion/audio/sample_stream.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "scion/core/error.h"

namespace scion {
namespace {

using HeaderBytes = std::vector<unsigned char>;

struct Magic {
  size_t place;
  std::string_view bytes;
  const char* kind;
};

constexpr std::array<Magic, 17> magics = {{{0, "RF64", "an RF64 file"},
                                           {0, "BW64", "a BW64 file"},
                                           {0, "RIFX", "a big-endian WAV file"},
                                           {0, "riff\x2e\x91\xcf\x11", "a Wave64 file"},
                                           {0, "fLaC", "a FLAC file"},
                                           {0, "OggS", "an Ogg file"},
                                           {0, "ID3", "an MP3 file"},
                                           {0, "FORM", "an AIFF file"},
                                           {0, "caff", "a CAF file"},
                                           {0, ".snd", "an AU file"},
                                           {0, "NIST_1A", "a SPHERE file"},
                                           {0, "#!AMR", "an AMR file"},
                                           {0, "ADIF", "an AAC file"},
                                           {0, "\x1a\x45\xdf\xa3", "a WebM or Matroska file"},
                                           {0, "\x30\x26\xb2\x75", "a WMA file"},
                                           {0, "wvpk", "a WavPack file"},
                                           {4, "ftyp", "an MP4 file"}}};

constexpr size_t longest_mpeg_frame = 2881;  // MPEG-1 layer III at 320 kbit/s and 16 kHz, padded

bool begins(const HeaderBytes& bytes, size_t place, std::string_view with) {
  return bytes.size() >= place + with.size() &&
         std::equal(with.begin(), with.end(), bytes.begin() + static_cast<std::ptrdiff_t>(place),
                    [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
}

uint32_t little_endian(const HeaderBytes& bytes, size_t place, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint32_t{bytes[place + i]} << (8 * i);
  return value;
}

bool is_mpeg_sync(const HeaderBytes& bytes) {
  return bytes.size() >= 6 && bytes[0] == 0xFF && (bytes[1] & 0xE0) == 0xE0;
}

// A frame's header of layer II or III, and another of the same kind within a frame's length: what
// begins with one sample of this value is hardly ever followed so.
bool is_mpeg_audio(const HeaderBytes& bytes) {
  const unsigned version = bytes[1] >> 3 & 3U, layer = bytes[1] >> 1 & 3U;
  const unsigned bits = bytes[2] >> 4, rate = bytes[2] >> 2 & 3U;
  if (version == 1 || layer == 0 || layer == 3 || bits == 0 || bits == 15 || rate == 3)
    return false;
  for (size_t i = 24; i + 2 < bytes.size(); ++i)
    if (bytes[i] == 0xFF && bytes[i + 1] == bytes[1] && (bytes[i + 2] >> 2 & 3U) == rate &&
        bytes[i + 2] >> 4 != 15 && bytes[i + 2] >> 4 != 0)
      return true;
  return false;
}

// An ADTS frame followed by the next.
bool is_aac(const HeaderBytes& bytes) {
  if ((bytes[1] & 0xF6) != 0xF0) return false;
  const size_t length =
      (size_t{bytes[3] & 3U} << 11) | (size_t{bytes[4]} << 3) | (size_t{bytes[5]} >> 5);
  return length >= 7 && length + 1 < bytes.size() && bytes[length] == 0xFF &&
         bytes[length + 1] == bytes[1];
}

[[noreturn]] void refuse(const std::string& what, int64_t sample_rate) {
  throw UserError(
      "standard input is " + what + ", and 16-bit samples without a header are expected",
      fmt::format("ffmpeg -i FILE -f s16le -ar {} -ac 1 - | scion transcribe --streaming MODEL -",
                  sample_rate));
}

}  // namespace

SampleStream::SampleStream(std::FILE* file, int64_t sample_rate) : file_(file) {
  look_ahead(12);
  if (begins(ahead_, 0, "RIFF") && begins(ahead_, 8, "WAVE")) {
    skip_wav_header(sample_rate);
    return;
  }
  if (begins(ahead_, 0, "RIFF")) refuse("a RIFF file other than WAV", sample_rate);
  for (const Magic& magic : magics)
    if (begins(ahead_, magic.place, magic.bytes)) refuse(magic.kind, sample_rate);
  if (!is_mpeg_sync(ahead_)) return;
  look_ahead(longest_mpeg_frame + 3);
  if (is_mpeg_audio(ahead_)) refuse("an MP3 file", sample_rate);
  look_ahead(8192 + 2);  // an ADTS frame's length has 13 bits
  if (is_aac(ahead_)) refuse("an AAC file", sample_rate);
}

// Reads until `count` bytes are ahead; false when the stream ends before.
bool SampleStream::look_ahead(size_t count) {
  const size_t have = ahead_.size();
  if (have >= count) return true;
  ahead_.resize(count);
  ahead_.resize(have + std::fread(ahead_.data() + have, 1, count - have, file_));
  return ahead_.size() == count;
}

void SampleStream::skip_wav_header(int64_t sample_rate) {
  constexpr uint32_t unknown_size = 0x7FFF0000;  // and above: written by what could not know it
  size_t place = 12;
  bool fits = false;
  for (;;) {
    if (!look_ahead(place + 8)) refuse("a WAV file without samples", sample_rate);
    const uint32_t size = little_endian(ahead_, place + 4, 4);
    if (begins(ahead_, place, "data")) {
      if (!fits) refuse("a WAV file without a format", sample_rate);
      if (size > 0 && size < unknown_size) left_ = size;
      ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(place + 8));
      return;
    }
    constexpr uint32_t largest_header = 1 << 24;
    if (size > largest_header || !look_ahead(place + 8 + size + size % 2))
      refuse("a WAV file whose header is broken", sample_rate);
    if (begins(ahead_, place, "fmt ") && size >= 16) {
      const uint32_t form = little_endian(ahead_, place + 8, 2);
      const uint32_t channels = little_endian(ahead_, place + 10, 2);
      const uint32_t rate = little_endian(ahead_, place + 12, 4);
      const uint32_t bits = little_endian(ahead_, place + 22, 2);
      constexpr uint32_t pcm = 1, extensible = 0xFFFE;
      const bool integers = form == pcm || (form == extensible && size >= 26 &&
                                            little_endian(ahead_, place + 32, 2) == pcm);
      fits = integers && channels == 1 && rate == static_cast<uint64_t>(sample_rate) && bits == 16;
      if (!fits)
        refuse(fmt::format("a WAV file of {} Hz, {} channel{}, {} bits{}", rate, channels,
                           channels == 1 ? "" : "s", bits, integers ? "" : " that are no integers"),
               sample_rate);
    }
    place += 8 + size + size % 2;
  }
}

size_t SampleStream::read_bytes(unsigned char* to, size_t count) {
  if (left_) count = static_cast<size_t>(std::min<uint64_t>(count, *left_));
  const size_t known = std::min(count, ahead_.size());
  const auto end = ahead_.begin() + static_cast<std::ptrdiff_t>(known);
  std::copy(ahead_.begin(), end, to);
  ahead_.erase(ahead_.begin(), end);
  const size_t all = known + std::fread(to + known, 1, count - known, file_);
  if (left_) *left_ -= all;
  return all;
}

std::vector<float> SampleStream::read(size_t count) {
  HeaderBytes bytes(2 * count);
  bytes.resize(read_bytes(bytes.data(), bytes.size()));
  odd_ = odd_ || bytes.size() % 2 == 1;
  std::vector<float> samples(bytes.size() / 2);
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<float>(static_cast<int16_t>(little_endian(bytes, 2 * i, 2))) / 32768;
  return samples;
}

}  // namespace scion
