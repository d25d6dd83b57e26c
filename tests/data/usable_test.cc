#include "scion/data/usable.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "tests/data/small_corpus.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

TEST(Usable, AudioIsDecodedAndLongEnough) {
  SmallCorpus corpus(3);
  const Utterance& whole = corpus.utterances()[0];
  const UsableAudio usable = read_usable_audio(whole, 16000, 400);
  EXPECT_EQ(usable.reason, "");
  EXPECT_GT(usable.audio.samples.size(), 400U);
  const Utterance& click = corpus.utterances()[1];
  write_sound(click.audio, {0.5F});
  EXPECT_EQ(read_usable_audio(click, 16000, 2).reason, "too short for a frame: 1 samples");
  EXPECT_EQ(read_usable_audio(click, 16000, 1).reason, "");
  std::filesystem::remove(click.audio);
  EXPECT_NE(read_usable_audio(click, 16000, 1).hint, "");
  EXPECT_THAT(read_usable_audio(click, 16000, 1).reason,
              HasSubstr(click.audio.filename().string()));
}

// The process may take 16 MB more while this lives.
class LittleMemory {
 public:
  LittleMemory() {
    getrlimit(RLIMIT_AS, &before_);
    int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + (16 << 20));
    setrlimit(RLIMIT_AS, &limit);
  }
  ~LittleMemory() { setrlimit(RLIMIT_AS, &before_); }
  LittleMemory(const LittleMemory&) = delete;
  LittleMemory& operator=(const LittleMemory&) = delete;

 private:
  rlimit before_{};
};

TEST(Usable, MemoryThatRunsOutIsSaidOfTheRecording) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need the address space";
#endif
  SmallCorpus corpus(1);
  const Utterance& longer = corpus.utterances()[0];
  write_sound(longer.audio, std::vector<float>(1200 * 16000), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const LittleMemory little;
  const UsableAudio usable = read_usable_audio(longer, 16000, 400);
  EXPECT_EQ(usable.reason, longer.audio.string() + ": out of memory");
  EXPECT_NE(usable.hint, "");
}

TEST(Usable, TheShortestAudioGivesAFrameAtEverySpeed) {
  const Fbank fbank{FeatureConfig()};
  const int64_t normal = shortest_samples(fbank, {});
  EXPECT_GT(fbank.frame_count(normal), 0);
  EXPECT_EQ(fbank.frame_count(normal - 1), 0);
  EXPECT_GE(static_cast<double>(shortest_samples(fbank, {0.9, 1.1})),
            1.1 * static_cast<double>(normal));
}

TEST(Usable, DurationsMayDifferALittle) {
  EXPECT_EQ(duration_fault(10.4, 10), "");
  EXPECT_EQ(duration_fault(0.59, 0.5), "");
  EXPECT_EQ(duration_fault(1, 2), "lasts 1.00 s, 2.00 s in the manifest");
}

TEST(Usable, TextsNeedTheTokenizersAlphabet) {
  const Tokenizer tokenizer = Tokenizer::train({"abc"}, {.kind = PieceKind::character});
  EXPECT_EQ(text_fault("abc", tokenizer), "");
  EXPECT_EQ(text_fault(" \t", tokenizer), "no text");
  EXPECT_THAT(text_fault("a\uFFFDb", tokenizer), HasSubstr("U+FFFD"));
  EXPECT_THAT(text_fault("abx", tokenizer), HasSubstr("outside the alphabet: x"));
}

}  // namespace
}  // namespace scion
