#include "scion/audio/audio_source.h"

#include <gmock/gmock.h>

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "tests/audio/mpeg_files.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using namespace scion::testing;
using ::testing::HasSubstr;

constexpr int64_t seconds_long = 2, samples_long = 32000;

struct Format {
  std::string name;
  int format;
};

const std::vector<Format>& formats() {
  static const std::vector<Format> all = {
      {"pcm.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
      {"pcm24.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24},
      {"float.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT},
      {"double.wav", SF_FORMAT_WAV | SF_FORMAT_DOUBLE},
      {"pcm8.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8},
      {"pcm32.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_32},
      {"ulaw.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW},
      {"alaw.wav", SF_FORMAT_WAV | SF_FORMAT_ALAW},
      {"ima.wav", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM},
      {"ms.wav", SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM},
      {"gsm.wav", SF_FORMAT_WAV | SF_FORMAT_GSM610},
      {"big.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG},
      {"extensible.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16},
      {"a.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16},
      {"a.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},
      {"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
      {"a.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
      {"little.au", SF_FORMAT_AU | SF_FORMAT_PCM_16 | SF_ENDIAN_LITTLE},
      {"a.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16},
      {"a.sph", SF_FORMAT_NIST | SF_FORMAT_PCM_16},
      {"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
      {"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
      {"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
      {"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}};
  return all;
}

bool is_lossless_block(const std::string& name) {
  return name == "ima.wav" || name == "ms.wav" || name == "gsm.wav";  // padded to whole blocks
}

class AudioSources : public ::testing::Test {
 protected:
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  std::string write(const Format& format) {
    write_sound(path(format.name), voice(seconds_long, 4), format.format);
    return bytes_of(path(format.name));
  }

  std::string complaint_about(const std::string& name, const std::string& bytes) {
    write_bytes(path(name), bytes);
    return error_of<UserError>([&] { read_audio(path(name), 16000); });
  }

  /// Samples of the file with these bytes, after a look whether its length is theirs.
  std::vector<float> read(const std::string& name, const std::string& bytes) {
    write_bytes(path(name), bytes);
    const Audio audio = read_audio(path(name), 16000);
    EXPECT_DOUBLE_EQ(audio_seconds(path(name)), audio.seconds()) << name;
    return audio.samples;
  }

  TemporaryFolder folder_;
};

TEST_F(AudioSources, TheLengthOfEveryFormatIsThatOfItsSamples) {
  for (const Format& format : formats()) {
    const std::vector<float> samples = read(format.name, write(format));
    if (is_lossless_block(format.name)) {
      EXPECT_NEAR(double(samples.size()), double(samples_long), 1100) << format.name;
    } else {
      EXPECT_EQ(int64_t(samples.size()), samples_long) << format.name;
    }
    for (const auto& [begin, seconds] : {std::pair{0.5, 0.25}, {1.5, 0.0}, {0.0, 1.9}}) {
      const Audio part = read_audio(path(format.name), 16000, {begin, seconds});
      const double wanted = seconds > 0 ? seconds : double(samples.size()) / 16000 - begin;
      EXPECT_DOUBLE_EQ(part.seconds(), wanted) << format.name << " from " << begin;
    }
  }
}

TEST_F(AudioSources, CutFilesOfEveryFormatAreRefused) {
  for (const Format& format : formats()) {
    const std::string bytes = write(format);
    for (const double share : {0.5, 0.9, 0.995}) {
      const auto kept = static_cast<size_t>(share * double(bytes.size()));
      EXPECT_THAT(complaint_about(format.name, bytes.substr(0, kept)), HasSubstr("cut short"))
          << format.name << " " << share;
    }
  }
}

std::string with_number(std::string bytes, size_t at, uint64_t value, size_t count, bool big) {
  for (size_t i = 0; i < count; ++i)
    bytes[at + i] = static_cast<char>(value >> (8 * (big ? count - 1 - i : i)) & 0xff);
  return bytes;
}

struct StatedSize {
  std::string name;
  size_t after_name;  ///< of the chunk with the samples to its size
  std::string chunk;
  size_t bytes;
  bool is_big_endian;
  std::vector<uint64_t> open;  ///< sizes that say nothing
};

TEST_F(AudioSources, ASizeThatWasLeftOpenMeansAllThereIs) {
  const std::vector<uint64_t> open32 = {0, 0xffffffff, 0x7fff0000, 0x7ffff024, 0x80000000};
  const std::vector<StatedSize> sizes = {
      {"pcm.wav", 4, "data", 4, false, open32},
      {"float.wav", 4, "data", 4, false, open32},
      {"big.wav", 4, "data", 4, true, open32},
      {"a.rf64", 16, "ds64", 8, false, {0, ~uint64_t(0), ~uint64_t(0) >> 1}},
      {"a.w64", 16, "data", 8, false, {0, 24, ~uint64_t(0), ~uint64_t(0) >> 1}},
      {"a.aiff", 4, "SSND", 4, true, {0, 8, 0xffffffff, 0x7f000008}},
      {"a.au", 8, ".snd", 4, true, open32},
      {"little.au", 8, "dns.", 4, false, open32},
      {"a.caf", 4, "data", 8, true, {0, ~uint64_t(0)}}};
  for (const StatedSize& size : sizes) {
    const auto format = std::find_if(formats().begin(), formats().end(),
                                     [&](const Format& one) { return one.name == size.name; });
    const std::string bytes = write(*format);
    const std::vector<float> whole = read(size.name, bytes);
    const size_t at = bytes.find(size.chunk) + size.after_name;
    ASSERT_NE(bytes.find(size.chunk), std::string::npos) << size.name;
    for (const uint64_t open : size.open) {
      const std::string left = with_number(bytes, at, open, size.bytes, size.is_big_endian);
      EXPECT_EQ(read(size.name, left), whole) << size.name << " " << open;
    }
  }
}

TEST_F(AudioSources, TheSizeOfTheWholeFileDoesNotMatter) {
  for (const char* name : {"pcm.wav", "a.aiff"}) {
    const bool is_aiff = std::string(name) == "a.aiff";
    const std::string bytes =
        write({name, (is_aiff ? SF_FORMAT_AIFF : SF_FORMAT_WAV) | SF_FORMAT_PCM_16});
    const std::vector<float> whole = read(name, bytes);
    for (const uint64_t size :
         {uint64_t(0), uint64_t(36), uint64_t(bytes.size()), uint64_t(10'000'000)})
      EXPECT_EQ(read(name, with_number(bytes, 4, size, 4, is_aiff)), whole) << name << " " << size;
    // Nor does it save a file whose samples are missing.
    const std::string cut = with_number(bytes.substr(0, bytes.size() / 2), 4, 36, 4, is_aiff);
    EXPECT_THAT(complaint_about(name, cut), HasSubstr("cut short")) << name;
  }
}

TEST_F(AudioSources, ASizeOfSamplesThatIsWrong) {
  const std::string bytes = write(formats()[0]);
  const std::vector<float> whole = read("a.wav", bytes);
  const size_t at = bytes.find("data") + 4;
  // It counts the header, too.
  EXPECT_EQ(read("a.wav", with_number(bytes, at, bytes.size(), 4, false)), whole);
  EXPECT_EQ(read("a.wav", with_number(bytes, at, bytes.size() - 8, 4, false)), whole);
  // It was written before the last samples were, the size of the file after them.
  EXPECT_EQ(read("a.wav", with_number(bytes, at, 20'000, 4, false)), whole);
  // Both were: the rest may be samples or not.
  EXPECT_THAT(complaint_about("a.wav", with_number(with_number(bytes, at, 20'000, 4, false), 4,
                                                   20'036, 4, false)),
              HasSubstr("damaged"));
}

TEST_F(AudioSources, WhatFollowsTheSamplesIsNoSound) {
  const std::string bytes = write(formats()[0]);
  const std::vector<float> whole = read("a.wav", bytes);
  const std::string list = with_number("LIST....", 4, 20'000, 4, false) + std::string(20'000, 'x');
  EXPECT_EQ(read("a.wav", bytes + list), whole);
  EXPECT_EQ(read("a.wav", bytes + "junk"), whole);
  write_wav(path("none.wav"), {{}, 16000});
  EXPECT_THAT(complaint_about("none.wav", bytes_of(path("none.wav")) + list),
              HasSubstr("no samples"));
}

TEST_F(AudioSources, AFlacFileIsAsLongAsItsFrames) {
  const std::string bytes = write({"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16});
  const std::vector<float> whole = read("a.flac", bytes);
  // The lower half of the byte at 21 and the four after it hold the number of samples.
  const auto stated = [&](uint64_t samples) { return with_number(bytes, 22, samples, 4, true); };
  ASSERT_EQ(stated(samples_long), bytes);
  EXPECT_EQ(read("a.flac", stated(0)), whole);
  EXPECT_EQ(read("a.flac", stated(16'000)), whole);
  EXPECT_EQ(read("a.flac", stated(0) + id3v1_tag()), whole);
  EXPECT_EQ(read("a.flac", id3v2_tag(300) + stated(0)), whole);
  EXPECT_THAT(complaint_about("a.flac", stated(64'000)), HasSubstr("cut short"));
  for (const size_t missing : {1, 2, 100, 3000})
    EXPECT_THAT(complaint_about("a.flac", stated(0).substr(0, bytes.size() - missing)),
                HasSubstr("cut short"))
        << missing;
}

TEST_F(AudioSources, AFlippedBitInAFlacFrameIsNoticed) {
  std::string bytes = write({"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16});
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  EXPECT_NE(complaint_about("a.flac", bytes), "");
}

TEST_F(AudioSources, ChainedOggStreamsAreReadToTheEnd) {
  for (const Format& format : {Format{"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                               Format{"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS}}) {
    const std::string bytes = write(format);
    std::vector<float> twice = read(format.name, bytes);
    twice.insert(twice.end(), twice.begin(), twice.begin() + samples_long);
    EXPECT_EQ(read(format.name, bytes + bytes), twice) << format.name;
    write_sound(path("other.ogg"), voice(1, 8, 48000), SF_FORMAT_OGG | SF_FORMAT_VORBIS, 48000);
    const std::vector<float> joined = read(format.name, bytes + bytes_of(path("other.ogg")));
    EXPECT_EQ(joined.size(), size_t(samples_long + 16000)) << format.name;
    EXPECT_TRUE(std::equal(twice.begin(), twice.begin() + samples_long, joined.begin()));
  }
}

TEST_F(AudioSources, AnOggPageThatIsMissingOrDamagedIsNoticed) {
  const std::string bytes = write({"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS});
  std::vector<size_t> pages;
  for (size_t at = 0; (at = bytes.find("OggS", at)) != std::string::npos; ++at) pages.push_back(at);
  ASSERT_GT(pages.size(), 3u);
  const size_t last = pages.back(), before = pages[pages.size() - 2];
  EXPECT_THAT(complaint_about("a.opus", bytes.substr(0, last)), HasSubstr("has no end"));
  EXPECT_THAT(complaint_about("a.opus", bytes.substr(0, before) + bytes.substr(last)),
              HasSubstr("an Ogg page is missing"));
  std::string flipped = bytes;
  flipped[last - 9] = static_cast<char>(flipped[last - 9] ^ 4);
  EXPECT_THAT(complaint_about("a.opus", flipped), HasSubstr("wrong checksum"));
  EXPECT_EQ(read("a.opus", bytes + "\n").size(), size_t(samples_long));
}

TEST_F(AudioSources, HintsNameTheWayToReadOtherFormats) {
  const std::string shorten =
      "NIST_1A\n   1024\nsample_count -i 32000\nsample_n_bytes -i 2\nchannel_count -i 1\n"
      "sample_byte_format -s2 01\nsample_rate -i 16000\n"
      "sample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n";
  EXPECT_THAT(complaint_about("a.sph", shorten + std::string(4000, ' ')),
              HasSubstr("sph2pipe -f wav"));
  const std::string m4a = std::string("\0\0\0\x20", 4) + "ftypM4A " + std::string(500, '\0');
  EXPECT_THAT(complaint_about("a.m4a", m4a), HasSubstr("convert it to WAV, FLAC or Ogg Opus"));
  // WebM's and Matroska's first bytes, and ASF's.
  for (const char* magic : {"\x1A\x45\xDF\xA3", "\x30\x26\xB2\x75\x8E\x66\xCF\x11"})
    EXPECT_THAT(complaint_about("a.webm", magic + std::string(500, '\0')),
                HasSubstr("convert it to WAV, FLAC or Ogg Opus"));
  EXPECT_THAT(complaint_about("a.wav", "version https://git-lfs.github.com/spec/v1\nsize 5\n"),
              HasSubstr("git lfs pull"));
}

}  // namespace
}  // namespace scion
