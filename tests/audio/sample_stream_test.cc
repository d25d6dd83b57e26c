#include "scion/audio/sample_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"

namespace scion {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t stream_rate = 16000;

// A stream of these bytes.
class Piped {
 public:
  explicit Piped(std::string bytes)
      : bytes_(std::move(bytes)), file_(fmemopen(bytes_.data(), bytes_.size(), "rb")) {}
  ~Piped() { std::fclose(file_); }
  Piped(const Piped&) = delete;
  Piped& operator=(const Piped&) = delete;
  std::FILE* file() { return file_; }

 private:
  std::string bytes_;
  std::FILE* file_;
};

std::string number(uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return text;
}

std::string wav_header(uint32_t form, uint32_t channels, uint32_t hz, uint32_t bits,
                       uint32_t data_bytes) {
  return "RIFF" + number(36 + data_bytes, 4) + "WAVEJUNK" + number(3, 4) + "abc\0"s + "fmt " +
         number(16, 4) + number(form, 2) + number(channels, 2) + number(hz, 4) +
         number(hz * channels * bits / 8, 4) + number(channels * bits / 8, 2) + number(bits, 2) +
         "data" + number(data_bytes, 4);
}

const std::string samples = number(0x4000, 2) + number(0xC000, 2) + number(0, 2);

std::vector<float> all_of(std::string bytes) {
  Piped input(std::move(bytes));
  SampleStream stream(input.file(), stream_rate);
  std::vector<float> all, piece;
  while (!(piece = stream.read(2)).empty()) all.insert(all.end(), piece.begin(), piece.end());
  return all;
}

UserError refusal(std::string bytes) {
  Piped input(std::move(bytes));
  try {
    SampleStream(input.file(), stream_rate);
  } catch (const UserError& error) {
    return error;
  }
  return UserError("");
}

TEST(SampleStream, ReadsSamplesWithoutAHeader) {
  EXPECT_THAT(all_of(samples), ElementsAre(0.5F, -0.5F, 0));
  EXPECT_THAT(all_of("\x01"s), IsEmpty());
}

TEST(SampleStream, SaysWhenTheLastByteIsHalfASample) {
  for (const bool odd : {false, true}) {
    Piped input(samples + (odd ? "x" : ""));
    SampleStream stream(input.file(), stream_rate);
    EXPECT_EQ(stream.read(100).size(), 3U);
    EXPECT_THAT(stream.read(100), IsEmpty());
    EXPECT_EQ(stream.ends_inside_a_sample(), odd);
  }
}

TEST(SampleStream, SkipsAWavHeaderThatFits) {
  const std::string after = "LIST" + number(2, 4) + "xy";
  EXPECT_THAT(all_of(wav_header(1, 1, stream_rate, 16, 6) + samples + after),
              ElementsAre(0.5F, -0.5F, 0));
  // Written to a pipe: the length is not known.
  for (const uint32_t size : {0U, 0x7FFFF024U, 0xFFFFFFFFU})
    EXPECT_THAT(all_of(wav_header(1, 1, stream_rate, 16, size) + samples),
                ElementsAre(0.5F, -0.5F, 0));
}

TEST(SampleStream, RefusesAWavOfAnotherForm) {
  const UserError stereo = refusal(wav_header(1, 2, 44100, 16, 6) + samples);
  EXPECT_THAT(stereo.what(), HasSubstr("44100 Hz, 2 channels, 16 bits"));
  EXPECT_THAT(stereo.hint(), HasSubstr("ffmpeg -i FILE -f s16le -ar 16000 -ac 1 -"));
  EXPECT_THAT(refusal(wav_header(3, 1, stream_rate, 32, 8) + samples).what(),
              HasSubstr("no integers"));
  EXPECT_THAT(refusal(wav_header(1, 1, stream_rate, 16, 6).substr(0, 40)).what(), HasSubstr("WAV"));
}

TEST(SampleStream, RefusesOtherAudioFiles) {
  const std::string rest(4000, '\x11');
  for (const std::string& begin :
       {"RF64"s, "RIFX"s, "RIFF\1\2\3\4AVI "s, "fLaC"s, "OggS"s, "ID3"s, "FORM"s, "caff"s, ".snd"s,
        "\0\0\0\x20"s + "ftypisom", "\x1a\x45\xdf\xa3"s})
    EXPECT_THAT(refusal(begin + rest).hint(), HasSubstr("ffmpeg")) << begin;
}

TEST(SampleStream, RefusesMpegFramesAndTakesSamplesThatBeginLikeOne) {
  const std::string sync = "\xff\xfb\x90\x00"s, frame = sync + std::string(413, '\x55');
  EXPECT_THAT(refusal(frame + frame).what(), HasSubstr("MP3"));
  EXPECT_EQ(all_of(sync + std::string(4000, '\x55')).size(), 2002U);
  const std::string adts = "\xff\xf1\x50\x80\x02\x1f\xfc"s + std::string(9, '\x21');
  EXPECT_THAT(refusal(adts + adts).what(), HasSubstr("AAC"));
  EXPECT_EQ(all_of(std::string(4000, '\xff')).size(), 2000U);
}

}  // namespace
}  // namespace scion
