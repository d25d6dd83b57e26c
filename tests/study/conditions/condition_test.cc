#include "scion/study/conditions/condition.h"

#include <gmock/gmock.h>

#include "scion/audio/audio_file.h"
#include "scion/core/files/file.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

TEST(Condition, IsACorruptedCopyThatIsMadeOnce) {
  SmallCorpus test(5), train(12);
  const CorruptionConfig config;
  const fs::path manifest = make_condition(test.manifest(), train.manifest(), config, test.cache());
  const std::vector<Utterance> copy = read_manifest(manifest);
  ASSERT_EQ(copy.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    const Utterance& original = test.utterances()[i];
    EXPECT_EQ(copy[i].id, original.id);
    EXPECT_EQ(copy[i].text, original.text);
    EXPECT_EQ(copy[i].speaker, original.speaker);
    const Audio audio = read_audio(copy[i].audio, 16000);
    EXPECT_NEAR(audio.seconds(), copy[i].seconds, 1e-5);
    EXPECT_NEAR(copy[i].seconds / original.seconds, 1, 0.08);
    EXPECT_NE(audio.samples, read_audio(original.audio, 16000).samples);
  }
  const auto written = fs::last_write_time(copy[0].audio);
  EXPECT_EQ(make_condition(test.manifest(), train.manifest(), config, test.cache()), manifest);
  EXPECT_EQ(fs::last_write_time(copy[0].audio), written);
}

TEST(Condition, TheSameRecipeGivesTheSameFilesElsewhere) {
  SmallCorpus test(3), train(6);
  const CorruptionConfig config;
  const fs::path first = make_condition(test.manifest(), train.manifest(), config, test / "a");
  const fs::path second = make_condition(test.manifest(), train.manifest(), config, test / "b");
  for (const char* name : {"audio/000000.wav", "audio/000002.wav", "manifest.jsonl"})
    EXPECT_EQ(read_file(first.parent_path() / name), read_file(second.parent_path() / name));
}

TEST(Condition, OtherRecipesGetFoldersOfTheirOwn) {
  SmallCorpus test(2), train(6);
  CorruptionConfig config;
  const fs::path first = make_condition(test.manifest(), train.manifest(), config, test.cache());
  config.seed = 2;
  const fs::path second = make_condition(test.manifest(), train.manifest(), config, test.cache());
  const fs::path quiet = make_condition(test.manifest(), "", config, test.cache());
  EXPECT_NE(first, second);
  EXPECT_NE(second, quiet);
  EXPECT_TRUE(fs::exists(first) && fs::exists(second) && fs::exists(quiet));
}

TEST(Condition, WhatCannotBeReadStaysForTheReaderToReport) {
  SmallCorpus test(3), train(6);
  fs::remove(test / "u01.wav");
  fs::remove(train / "u02.wav");
  const fs::path manifest = make_condition(test.manifest(), train.manifest(), {}, test.cache());
  const std::vector<Utterance> copy = read_manifest(manifest);
  ASSERT_EQ(copy.size(), 3u);
  EXPECT_EQ(fs::weakly_canonical(copy[1].audio), fs::weakly_canonical(test / "u01.wav"));
}

}  // namespace
}  // namespace scion
