#include "scion/audio/mpeg_decoder.h"

#include <fmt/format.h>
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

class MpegAudio : public ::testing::Test {
 protected:
  Audio read(const std::string& mp3, const AudioPart& part = {}, int64_t rate = 16000) {
    write_bytes(folder_ / "read.mp3", mp3);
    return read_audio(folder_ / "read.mp3", rate, part);
  }

  std::filesystem::path scratch() const { return folder_ / "scratch.mp3"; }

  TemporaryFolder folder_;
};

TEST_F(MpegAudio, WithAnInfoFrameTheSoundIsWhereItWas) {
  const std::vector<float> said = voice(1.5, 5);
  const Audio heard = read(mp3_with_info(scratch(), 1.5));
  ASSERT_EQ(heard.samples.size(), said.size());
  EXPECT_GT(snr_db(said, heard.samples), 12);
}

TEST_F(MpegAudio, WithoutOneEveryFrameIsDecoded) {
  for (const MpegSettings& settings :
       std::vector<MpegSettings>{{8000}, {11025}, {16000, 2}, {22050}, {44100, 2}, {48000}}) {
    const std::string mp3 = mp3_without_info(scratch(), 1.3, settings);
    const Audio heard = read(mp3, {}, settings.rate);
    EXPECT_EQ(int64_t(heard.samples.size()), mpeg_samples(mp3)) << settings.rate;
    EXPECT_DOUBLE_EQ(audio_seconds(folder_ / "read.mp3"), heard.seconds()) << settings.rate;
    EXPECT_GT(heard.seconds(), 1.3);
  }
}

// libsndfile guesses the length of such files from the first frames, and stops there.
TEST_F(MpegAudio, FilesWithFramesOfManySizesAreReadToTheEnd) {
  const std::string small = mp3_without_info(scratch(), 2, {.quality = 0.9});
  const std::string large = mp3_without_info(scratch(), 2, {.quality = 0});
  ASSERT_GT(large.size(), 2 * small.size());
  for (const std::string& mp3 :
       {large + small, small + large, fmt::format("{0}{1}{1}", large, small)}) {
    const Audio heard = read(mp3);
    EXPECT_EQ(int64_t(heard.samples.size()), mpeg_samples(mp3));
    EXPECT_GT(heard.seconds(), 4);
    EXPECT_DOUBLE_EQ(audio_seconds(folder_ / "read.mp3"), heard.seconds());
  }
}

TEST_F(MpegAudio, JoinedFilesOfOtherRatesAndChannelsAreReadAsWell) {
  const std::string low = mp3_without_info(scratch(), 1, {});
  const std::string high = mp3_without_info(scratch(), 1, {.rate = 48000, .channels = 2}, 6);
  const Audio first = read(low), second = read(high), both = read(low + high);
  std::vector<float> expected = first.samples;
  expected.insert(expected.end(), second.samples.begin(), second.samples.end());
  EXPECT_EQ(both.samples, expected);
  EXPECT_NEAR(audio_seconds(folder_ / "read.mp3"), both.seconds(), 1e-4);

  const Audio end = read(low + high, {.begin_seconds = first.seconds() + 0.5});
  EXPECT_NEAR(end.seconds(), second.seconds() - 0.5, 1e-3);
  EXPECT_THAT(error_of<UserError>([&] { read(low + high, {.channel = 1}); }),
              HasSubstr("has 1 channels"));
}

TEST_F(MpegAudio, APartIsThatOfTheWholeFileToTheSample) {
  for (const MpegSettings& settings :
       std::vector<MpegSettings>{{8000, 1, 0.99}, {16000}, {44100, 2}})
    for (const std::string& mp3 :
         {mp3_with_info(scratch(), 3, settings), mp3_without_info(scratch(), 3, settings)}) {
      const std::vector<float> whole = read(mp3, {}, settings.rate).samples;
      for (const auto& [begin, seconds] :
           {std::pair{0.0, 0.5}, {0.25, 0.5}, {1.37, 0.011}, {2.0, 0.0}, {2.9, 0.1}}) {
        const std::vector<float> part = read(mp3, {begin, seconds}, settings.rate).samples;
        const auto first = whole.begin() + std::llround(begin * settings.rate);
        const auto last = seconds > 0
                              ? whole.begin() + std::llround((begin + seconds) * settings.rate)
                              : whole.end();
        EXPECT_EQ(part, std::vector<float>(first, last)) << settings.rate << " Hz, " << begin;
      }
    }
}

TEST_F(MpegAudio, WhatIsNotWholeIsRefused) {
  const std::string mp3 = mp3_without_info(scratch(), 1);
  EXPECT_THAT(error_of<UserError>([&] { read(mp3.substr(0, mp3.size() * 2 / 3 + 1)); }),
              HasSubstr("cut short"));
  EXPECT_THAT(error_of<UserError>(
                  [&] { read(mp3.substr(0, 2000) + std::string(500, 'x') + mp3.substr(2500)); }),
              HasSubstr("damaged"));
  EXPECT_THAT(error_of<UserError>([&] { audio_seconds(scratch().parent_path() / "none.mp3"); }),
              HasSubstr("missing"));
}

TEST_F(MpegAudio, AStreamInAWavFileIsReadToTheEnd) {
  const std::string mp3 = mp3_without_info(scratch(), 1, {.quality = 0.9}) +
                          mp3_without_info(scratch(), 1, {.quality = 0});
  const auto number = [](size_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i) & 0xff));
    return text;
  };
  // Format 0x55, one channel, 16000 Hz; the rest does not matter.
  const std::string format = number(0x55, 2) + number(1, 2) + number(16000, 4) + number(8000, 4) +
                             number(1, 2) + number(0, 2);
  const std::string wav = "RIFF" + number(36 + mp3.size(), 4) + "WAVEfmt " + number(16, 4) +
                          format + "data" + number(mp3.size(), 4) + mp3;
  EXPECT_EQ(read(wav).samples, read(mp3).samples);
  EXPECT_THAT(error_of<UserError>([&] { read(wav.substr(0, wav.size() - 40)); }),
              HasSubstr("cut short"));
}

TEST_F(MpegAudio, TagsAndPicturesMakeNoDifference) {
  const std::string mp3 = mp3_without_info(scratch(), 1);
  EXPECT_EQ(read(id3v2_tag(50'000) + mp3 + ape_tag(20'000) + id3v1_tag()).samples,
            read(mp3).samples);
}

}  // namespace
}  // namespace scion
