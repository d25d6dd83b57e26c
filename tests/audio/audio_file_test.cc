#include "scion/audio/audio_file.h"

#include <gmock/gmock.h>

#include <atomic>
#include <numbers>
#include <set>
#include <thread>

#include "scion/core/error.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The message of the UserError that reading gives; "" when it reads.
std::string complaint(const std::filesystem::path& path) {
  try {
    read_audio(path, 16000);
    return "";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    EXPECT_FALSE(error.hint().empty());
    return error.what();
  }
}

double rms(const std::vector<float>& samples, size_t margin = 0) {
  double sum = 0;
  for (size_t i = margin; i + margin < samples.size(); ++i) sum += samples[i] * samples[i];
  return std::sqrt(sum / double(samples.size() - 2 * margin));
}

std::vector<float> tone(double hertz, int64_t rate, double seconds) {
  std::vector<float> samples(size_t(double(rate) * seconds));
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = float(0.5 * std::sin(2 * std::numbers::pi * hertz * double(i) / double(rate)));
  return samples;
}

TEST(AudioFile, WavRoundTrip) {
  const TemporaryFolder folder;
  const Audio audio{voice(0.5, 1), 16000};
  write_wav(folder / "a.wav", audio);
  const Audio back = read_audio(folder / "a.wav", 16000);
  EXPECT_EQ(back.sample_rate, 16000);
  ASSERT_EQ(back.samples.size(), audio.samples.size());
  for (size_t i = 0; i < back.samples.size(); ++i)
    ASSERT_NEAR(back.samples[i], audio.samples[i], 0.51 / 32768);
  EXPECT_DOUBLE_EQ(audio_seconds(folder / "a.wav"), 0.5);
}

TEST(AudioFile, SamplesOutsideTheRangeAreClipped) {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", {{-3, 3, 0}, 16000});
  const Audio back = read_audio(folder / "a.wav", 16000);
  EXPECT_FLOAT_EQ(back.samples[0], -1);
  EXPECT_FLOAT_EQ(back.samples[1], 32767.f / 32768);
}

TEST(AudioFile, ReadsFlacAndOpus) {
  const TemporaryFolder folder;
  const std::vector<float> samples = voice(1, 2);
  write_sound(folder / "a.flac", samples, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  write_sound(folder / "a.opus", samples, SF_FORMAT_OGG | SF_FORMAT_OPUS);
  const Audio flac = read_audio(folder / "a.flac", 16000);
  const Audio opus = read_audio(folder / "a.opus", 16000);
  ASSERT_EQ(flac.samples.size(), 16000u);
  EXPECT_EQ(opus.samples.size(), 16000u);
  for (size_t i = 0; i < samples.size(); ++i) ASSERT_NEAR(flac.samples[i], samples[i], 1e-4);
  EXPECT_NEAR(rms(opus.samples), rms(samples), 0.1 * rms(samples));
  EXPECT_DOUBLE_EQ(audio_seconds(folder / "a.opus"), 1);
}

TEST(AudioFile, ChannelsAreAveraged) {
  const TemporaryFolder folder;
  write_sound(folder / "a.wav", {0.5f, 0.25f, -0.5f, 0.5f}, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000,
              2);
  const Audio audio = read_audio(folder / "a.wav", 16000);
  EXPECT_THAT(audio.samples, ::testing::ElementsAre(0.375f, 0.f));
}

TEST(AudioFile, OtherRatesAreResampled) {
  const TemporaryFolder folder;
  for (const int rate : {8000, 44100, 48000}) {
    write_sound(folder / "a.wav", tone(1000, rate, 1), SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate);
    const Audio audio = read_audio(folder / "a.wav", 16000);
    ASSERT_EQ(audio.samples.size(), 16000u) << rate;
    const std::vector<float> expected = tone(1000, 16000, 1);
    for (size_t i = 500; i < 15500; ++i)
      ASSERT_NEAR(audio.samples[i], expected[i], 1e-3) << rate << " " << i;
  }
}

TEST(AudioFile, ResamplingKeepsTheBandAndRemovesWhatIsAbove) {
  const std::vector<float> kept = resample(tone(3000, 16000, 1), 16000, 8000);
  EXPECT_NEAR(rms(kept, 200), 0.5 / std::sqrt(2), 1e-3);
  const std::vector<float> removed = resample(tone(5000, 16000, 1), 16000, 8000);
  EXPECT_LT(rms(removed, 200), 1e-4);
}

TEST(AudioFile, ASpeedFactorShortensAndRaisesThePitch) {
  const std::vector<float> fast = resample(tone(1000, 16000, 1), 1.1, 1);
  EXPECT_EQ(fast.size(), size_t(std::lround(16000 / 1.1)));
  const std::vector<float> expected = tone(1100, 16000, 0.9);
  for (size_t i = 500; i < 14000; ++i) ASSERT_NEAR(fast[i], expected[i], 1e-3);
}

TEST(AudioFile, OneSampleAndSilenceAreLegal) {
  const TemporaryFolder folder;
  write_wav(folder / "one.wav", {{0.5f}, 16000});
  EXPECT_EQ(read_audio(folder / "one.wav", 16000).samples.size(), 1u);
  EXPECT_EQ(read_audio(folder / "one.wav", 8000).samples.size(), 1u);
  write_wav(folder / "silent.wav", {std::vector<float>(800), 16000});
  EXPECT_EQ(rms(read_audio(folder / "silent.wav", 16000).samples), 0);
}

TEST(AudioFile, MissingEmptyAndForeignFiles) {
  const TemporaryFolder folder;
  EXPECT_THAT(complaint(folder / "none.wav"), HasSubstr("missing"));
  write_text(folder / "empty.wav", "");
  EXPECT_THAT(complaint(folder / "empty.wav"), HasSubstr("empty (0 bytes)"));
  write_text(folder / "text.wav", "these are words, not waves; they have no header at all");
  EXPECT_THAT(complaint(folder / "text.wav"), HasSubstr("cannot read"));
  EXPECT_THAT(complaint(folder.path()), HasSubstr("not an audio file"));
  write_wav(folder / "none", {{}, 16000});
  EXPECT_THAT(complaint(folder / "none"), HasSubstr("no samples"));
  EXPECT_THROW(audio_seconds(folder / "none"), UserError);
}

TEST(AudioFile, ARefusalKeepsItsReasonWhileOtherThreadsRead) {
  const TemporaryFolder folder;
  write_wav(folder / "good.wav", {voice(0.1, 1), 16000});
  write_text(folder / "bad.wav", "no audio");
  std::atomic<bool> done = false;
  std::thread other([&] {
    while (!done) audio_seconds(folder / "good.wav");
  });
  std::set<std::string> reasons;
  for (int i = 0; i < 300; ++i) reasons.insert(complaint(folder / "bad.wav"));
  done = true;
  other.join();
  EXPECT_THAT(reasons, ElementsAre(HasSubstr("Format not recognised")));
}

TEST(AudioFile, TruncatedFilesOfEveryFormat) {
  const TemporaryFolder folder;
  const std::vector<float> samples = voice(2, 3);
  const std::vector<std::pair<std::string, int>> formats = {
      {"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
      {"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
      {"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS}};
  for (const auto& [name, format] : formats)
    for (const double share : {0.5, 0.9, 0.999}) {
      write_sound(folder / name, samples, format);
      cut_file(folder / name, share);
      EXPECT_THAT(complaint(folder / name), HasSubstr("cut short")) << name << " " << share;
    }
}

TEST(AudioFile, ASizeThatWasLeftOpenIsNoTruncation) {
  const TemporaryFolder folder;
  write_wav(folder / "pipe.wav", {voice(0.1, 1), 16000});
  std::fstream file(folder / "pipe.wav", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4).write("\xff\xff\xff\xff", 4);
  file.seekp(40).write("\xff\xff\xff\xff", 4);
  file.close();
  EXPECT_EQ(read_audio(folder / "pipe.wav", 16000).samples.size(), 1600u);
}

TEST(AudioFile, SamplesThatAreNotFinite) {
  const TemporaryFolder folder;
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    write_sound(folder / "a.wav", {0.1f, bad, 0.2f}, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    EXPECT_THAT(complaint(folder / "a.wav"), HasSubstr("not finite"));
  }
}

TEST(AudioFile, ReadsMp3AndVorbis) {
  const TemporaryFolder folder;
  const std::vector<float> samples = tone(440, 16000, 1.5);
  write_sound(folder / "a.mp3", samples, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  write_sound(folder / "a.ogg", samples, SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  for (const char* name : {"a.mp3", "a.ogg"}) {
    const Audio audio = read_audio(folder / name, 16000);
    EXPECT_NEAR(audio.seconds(), 1.5, 0.08) << name;  // MP3 pads to whole frames
    EXPECT_NEAR(rms(audio.samples, 3000), rms(samples), 0.01) << name;
  }
}

// Wherever a part is read from: what the whole file has there.
TEST(AudioFile, APartIsThatOfTheWholeFile) {
  const TemporaryFolder folder;
  std::vector<float> stereo;
  const std::vector<float> left = voice(2, 1), right = voice(2, 2);
  for (size_t i = 0; i < left.size(); ++i) stereo.insert(stereo.end(), {left[i], right[i]});
  write_sound(folder / "a.wav", stereo, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2);
  write_sound(folder / "a.flac", stereo, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 2);
  for (const char* name : {"a.wav", "a.flac"}) {
    for (const int64_t channel : {-1, 0, 1}) {
      const Audio whole = read_audio(folder / name, 16000, {.channel = channel});
      ASSERT_EQ(whole.samples.size(), 32000u);
      const auto expect_part = [&](double begin, double seconds, size_t first, size_t count) {
        const Audio part = read_audio(folder / name, 16000, {begin, seconds, channel});
        EXPECT_EQ(part.samples, std::vector<float>(whole.samples.begin() + int64_t(first),
                                                   whole.samples.begin() + int64_t(first + count)))
            << name << " " << begin << " " << seconds;
      };
      expect_part(0.25, 0.5, 4000, 8000);
      expect_part(1.5, 0, 24000, 8000);
      expect_part(0, 0.1, 0, 1600);
      expect_part(1, 1.05, 16000, 16000);  // rounded up a little too far
    }
    EXPECT_NEAR(read_audio(folder / name, 16000, {.channel = 1}).samples[100], right[100], 1e-4);
    EXPECT_NEAR(read_audio(folder / name, 16000).samples[100], (left[100] + right[100]) / 2, 1e-4);
  }
}

TEST(AudioFile, PartsOfOpusAndMp3AreWhereTheyShouldBe) {
  const TemporaryFolder folder;
  std::vector<float> samples(32000);  // silence, then a tone from 1.0 s to 1.5 s
  const std::vector<float> loud = tone(500, 16000, 0.5);
  std::copy(loud.begin(), loud.end(), samples.begin() + 16000);
  write_sound(folder / "a.opus", samples, SF_FORMAT_OGG | SF_FORMAT_OPUS);
  write_sound(folder / "a.mp3", samples, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III);
  for (const char* name : {"a.opus", "a.mp3"}) {
    const Audio whole = read_audio(folder / name, 16000);
    for (const auto& [begin, first] : {std::pair{1.1, 17600}, {0.4, 6400}, {1.4, 22400}}) {
      const Audio part = read_audio(folder / name, 16000, {begin, 0.3});
      ASSERT_EQ(part.samples.size(), 4800u);
      std::vector<float> difference(4800);
      for (size_t i = 0; i < 4800; ++i)
        difference[i] = part.samples[i] - whole.samples[size_t(first) + i];
      // A jump in Opus lands on the sample; its decoder needs a moment to forget what it missed.
      EXPECT_LT(rms(difference), 0.002) << name << " from " << begin << " s";
    }
  }
}

TEST(AudioFile, PartsThatAreNotThere) {
  const TemporaryFolder folder;
  write_sound(folder / "a.wav", voice(1, 1));
  const auto complaint_of = [&](const AudioPart& part) {
    return error_of<UserError>([&] { read_audio(folder / "a.wav", 16000, part); });
  };
  EXPECT_THAT(complaint_of({0.5, 1}), HasSubstr("lasts 1.000 s, and 0.500 s to 1.500 s"));
  EXPECT_THAT(complaint_of({2, 0}), HasSubstr("lasts 1.000 s"));
  EXPECT_THAT(complaint_of({.channel = 1}), HasSubstr("has 1 channels, and channel 1"));
}

}  // namespace
}  // namespace scion
