#include "scion/audio/containers/mpeg_frames.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "tests/audio/mpeg_files.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using namespace scion::testing;
using ::testing::HasSubstr;

size_t frame_count(const std::string& mp3) {
  return read_mpeg_frames(as_bytes(mp3), "test.mp3").frames.size();
}

std::string complaint_about(const std::string& mp3) {
  return error_of<UserError>([&] { read_mpeg_frames(as_bytes(mp3), "test.mp3"); });
}

class MpegFrames : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string with_info_ = mp3_with_info(folder_ / "a.mp3", 1.5);
  std::string plain_ = without_info(with_info_);
  size_t frames_ = frame_count(plain_);
};

TEST(MpegHeader, SizeAndSamplesAreThoseOfTheStandard) {
  struct Case {
    uint32_t bits;
    int layer, rate, channels, samples;
    size_t bytes;
  };
  for (const Case& expected : std::vector<Case>{{0xfffb9064, 3, 44100, 2, 1152, 417},
                                                {0xfffb9264, 3, 44100, 2, 1152, 418},
                                                {0xfff388c4, 3, 16000, 1, 576, 288},
                                                {0xffe318c4, 3, 8000, 1, 576, 72},
                                                {0xfffda404, 2, 48000, 2, 1152, 576},
                                                {0xfff5a4c4, 2, 24000, 1, 1152, 576},
                                                {0xffffc024, 1, 44100, 2, 384, 416}}) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(expected.bits >> shift & 0xff));
    const auto header = parse_mpeg_header(as_bytes(bytes));
    ASSERT_TRUE(header) << expected.bits;
    EXPECT_EQ(header->layer, expected.layer) << expected.bits;
    EXPECT_EQ(header->sample_rate, expected.rate) << expected.bits;
    EXPECT_EQ(header->channels, expected.channels) << expected.bits;
    EXPECT_EQ(header->samples, expected.samples) << expected.bits;
    EXPECT_EQ(header->bytes, expected.bytes) << expected.bits;
  }
  for (const char* none : {"", "\xff", "\xff\xfb\xf0\x64", "\xff\xfb\x9c\x64", "\xff\xf9\x90\x64",
                           "\xff\xeb\x90\x64", "\xfe\xfb\x90\x64"})
    EXPECT_FALSE(parse_mpeg_header(as_bytes(none))) << none;
}

TEST_F(MpegFrames, TheInfoFrameIsNoSoundAndSaysWhatWasAdded) {
  const MpegStream stream = read_mpeg_frames(as_bytes(with_info_), "test.mp3");
  EXPECT_EQ(stream.frames.size(), frames_);
  const int64_t samples = int64_t(frames_) * 576;
  EXPECT_EQ(samples - stream.skipped_begin - stream.skipped_end, 24000);  // 1.5 s
  const MpegStream plain = read_mpeg_frames(as_bytes(plain_), "test.mp3");
  EXPECT_EQ(plain.skipped_begin + plain.skipped_end, 0);
}

// The number of frames that the Info frame states is set to `count`.
std::string with_stated_frames(std::string mp3, uint32_t count) {
  const size_t name = std::min(mp3.find("Info"), mp3.find("Xing"));
  for (size_t i = 0; i < 4; ++i)
    mp3[name + 8 + i] = static_cast<char>(count >> (24 - 8 * int(i)) & 0xff);
  return mp3;
}

TEST_F(MpegFrames, AWrongNumberInTheInfoFrameChangesNothing) {
  for (const uint32_t count : {0u, 1u, 5u, 100'000u})
    EXPECT_EQ(frame_count(with_stated_frames(with_info_, count)), frames_) << count;
}

TEST_F(MpegFrames, TagsAreNoFrames) {
  for (const std::string& whole :
       {id3v2_tag(3000) + plain_, plain_ + id3v1_tag(), ape_tag(500) + plain_,
        plain_ + ape_tag(900), plain_ + ape_tag(900) + id3v1_tag(),
        id3v2_tag(100) + id3v2_tag(70'000) + plain_ + id3v1_tag(),
        id3v2_tag(10) + std::string(9000, '\0') + plain_,
        plain_ + "LYRICSBEGINLYR00002la000018LYRICS200" + id3v1_tag()}) {
    EXPECT_TRUE(is_mpeg_stream(as_bytes(whole)));
    EXPECT_EQ(frame_count(whole), frames_);
  }
}

TEST_F(MpegFrames, JoinedFilesAreReadToTheEnd) {
  EXPECT_EQ(frame_count(plain_ + plain_), 2 * frames_);
  // The second Info frame is a frame of silence, as in every player.
  EXPECT_EQ(frame_count(with_info_ + with_info_), 2 * frames_ + 1);
  EXPECT_EQ(frame_count(plain_ + id3v1_tag() + id3v2_tag(999) + plain_ + ape_tag(5) + id3v1_tag()),
            2 * frames_);
  const std::string other = mp3_without_info(folder_ / "b.mp3", 1, {.rate = 44100, .channels = 2});
  EXPECT_EQ(frame_count(plain_ + other), frames_ + frame_count(other));
}

TEST_F(MpegFrames, FramesOfAllSizesAreCounted) {
  std::string variable;
  for (const double quality : {0.9, 0.1, 0.5})
    variable += mp3_without_info(folder_ / "b.mp3", 1, {.quality = quality});
  EXPECT_EQ(frame_count(variable), 3 * frame_count(mp3_without_info(folder_ / "b.mp3", 1)));
}

TEST_F(MpegFrames, AStreamThatEndsInsideAFrameIsCutShort) {
  const size_t frame = plain_.size() / frames_;
  for (const size_t missing : {size_t(1), size_t(20), frame - 5, frame - 1, 5 * frame + 7})
    EXPECT_THAT(complaint_about(plain_.substr(0, plain_.size() - missing)),
                HasSubstr("cut short: test.mp3"))
        << missing;
  EXPECT_EQ(complaint_about(plain_.substr(0, plain_.size() - frame)), "");
  // Here the Info frame says, twice, that more is missing than a wrong number.
  EXPECT_THAT(complaint_about(with_info_.substr(0, with_info_.size() - 30 * frame)),
              HasSubstr("cut short: test.mp3"));
}

TEST_F(MpegFrames, WhatIsNoFrameBetweenFramesIsNotPassedOver) {
  const size_t middle = plain_.size() / 2;
  for (const std::string& damaged :
       {plain_.substr(0, middle) + std::string(700, 'x') + plain_.substr(middle + 700),
        plain_.substr(0, middle) + plain_.substr(middle + 100),
        plain_.substr(0, middle) + std::string(20, '\0') + plain_.substr(middle),
        plain_.substr(0, middle / 2) + std::string(plain_.size(), '\0')})
    EXPECT_THAT(complaint_about(damaged), HasSubstr("damaged: test.mp3"));
  EXPECT_THAT(complaint_about(plain_.substr(0, middle) + std::string(700, 'x') +
                              plain_.substr(middle + 700)),
              HasSubstr("are no MPEG frames) | copy the file again"));
}

TEST_F(MpegFrames, ALittleAtEitherEndIsLeftOut) {
  EXPECT_EQ(frame_count(plain_.substr(50)), frames_ - 1);  // a recording that begins in a frame
  EXPECT_EQ(frame_count(plain_ + std::string(600, '\0')), frames_);
  EXPECT_EQ(frame_count("\r\n\r\n" + plain_ + "\n"), frames_);
}

TEST_F(MpegFrames, OtherFilesAreNone) {
  EXPECT_FALSE(is_mpeg_stream(as_bytes("")));
  EXPECT_FALSE(is_mpeg_stream(as_bytes("hello")));
  EXPECT_FALSE(is_mpeg_stream(as_bytes("RIFF....WAVE" + plain_)));
  EXPECT_FALSE(is_mpeg_stream(as_bytes(id3v2_tag(20) + "fLaC" + plain_)));
  EXPECT_FALSE(is_mpeg_stream(as_bytes(std::string(5000, '\xff'))));
  EXPECT_THAT(complaint_about(std::string(5000, '\xff')), HasSubstr("does not begin with MPEG"));
}

}  // namespace
}  // namespace scion
