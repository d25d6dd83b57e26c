#include "scion/data/manifest/manifest.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/corpora/split.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/core/working_directory.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string complaint(const std::string& text) {
  const TemporaryFolder folder;
  write_text(folder / "m.jsonl", text);
  return error_of<UserError>([&] { read_manifest(folder / "m.jsonl"); });
}

TEST(Manifest, ReadsNemoLines) {
  const TemporaryFolder folder;
  write_text(folder / "m.jsonl",
             "{\"audio_filepath\": \"a/x.wav\", \"duration\": 1.5, \"text\": \"yes\"}\n\n"
             "{\"id\": \"second\", \"audio_filepath\": \"/abs/y.wav\", \"duration\": 2, "
             "\"text\": \"n\\u00e9\", \"speaker\": \"s\", \"more\": [1]}\r\n");
  const std::vector<Utterance> utterances = read_manifest(folder / "m.jsonl");
  ASSERT_EQ(utterances.size(), 2u);
  EXPECT_EQ(utterances[0].id, "x");
  EXPECT_EQ(utterances[0].audio, folder / "a/x.wav");
  EXPECT_EQ(utterances[0].seconds, 1.5);
  EXPECT_EQ(utterances[0].speaker, "");
  EXPECT_EQ(utterances[1].id, "second");
  EXPECT_EQ(utterances[1].audio, "/abs/y.wav");
  EXPECT_EQ(utterances[1].text, "né");
  EXPECT_EQ(utterances[1].speaker, "s");
}

TEST(Manifest, NamesTheLineOfEveryFault) {
  const std::string good = "{\"audio_filepath\": \"x.wav\", \"duration\": 1, \"text\": \"a\"}\n";
  EXPECT_THAT(complaint(good + "{\"audio_"), HasSubstr("m.jsonl:2: broken JSON"));
  EXPECT_THAT(complaint("[1]\n"), HasSubstr("m.jsonl:1: not a JSON object"));
  EXPECT_THAT(complaint("{\"duration\": 1, \"text\": \"\"}"), HasSubstr("no \"audio_filepath\""));
  EXPECT_THAT(complaint("{\"audio_filepath\": \"x\", \"text\": \"\"}"),
              HasSubstr("no \"duration\""));
  EXPECT_THAT(complaint("{\"audio_filepath\": \"x\", \"duration\": 1}"), HasSubstr("no \"text\""));
  EXPECT_THAT(complaint("{\"audio_filepath\": 3, \"duration\": 1, \"text\": \"\"}"),
              HasSubstr("\"audio_filepath\" is not a string"));
  EXPECT_THAT(complaint("{\"audio_filepath\": \"x\", \"duration\": -1, \"text\": \"\"}"),
              HasSubstr("\"duration\" is -1"));
  EXPECT_THAT(complaint("{\"audio_filepath\": \"x\", \"duration\": \"1\", \"text\": \"\"}"),
              HasSubstr("\"duration\" is \"1\""));
  EXPECT_THAT(complaint(good + "\n" + good),
              HasSubstr("m.jsonl:3: duplicate id 'x' (first used in line 1)"));
  EXPECT_THAT(complaint("\n \n"), HasSubstr("no utterances"));
  EXPECT_THAT(error_of<UserError>([] { read_manifest("/none/m.jsonl"); }),
              HasSubstr("/none/m.jsonl"));
}

TEST(Manifest, WritesPathsRelativeToItself) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "audio/s1");
  fs::create_directories(folder / "lists");
  const Utterance utterance{"u1", folder / "audio/s1/x y.wav", 1.25, "a \"b\" ü", "s1"};
  write_manifest(folder / "lists/m.jsonl", {utterance});
  EXPECT_EQ(read_file(folder / "lists/m.jsonl"),
            "{\"id\":\"u1\",\"audio_filepath\":\"../audio/s1/x y.wav\",\"duration\":1.25,"
            "\"text\":\"a \\\"b\\\" ü\",\"speaker\":\"s1\"}\n");
  const std::vector<Utterance> back = read_manifest(folder / "lists/m.jsonl");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(fs::weakly_canonical(back[0].audio), fs::weakly_canonical(utterance.audio));
  EXPECT_EQ(back[0].text, utterance.text);
}

TEST(Manifest, LiesInTheWorkingDirectoryToo) {
  const TemporaryFolder folder;
  const testing::WorkingDirectory here(folder.path());
  write_manifest("m.jsonl", {{"u", "x.wav", 1, "a"}});
  const std::vector<Utterance> back = read_manifest("m.jsonl");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].audio, "x.wav");
}

TEST(Manifest, CannotHoldANameThatIsNotUtf8) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<UserError>([&] {
                write_manifest(folder / "m.jsonl", {{"u", folder / "caf\xe9.wav", 1, "a"}});
              }),
              HasSubstr("the name caf\\xe9.wav is not UTF-8 | a manifest holds text: rename"));
  EXPECT_FALSE(fs::exists(folder / "m.jsonl"));
}

TEST(Manifest, PartsOfFilesAndChannels) {
  const TemporaryFolder folder;
  write_text(
      folder / "m.jsonl",
      "{\"audio_filepath\": \"x.wav\", \"offset\": 1.25, \"duration\": 2, \"text\": \"a\"}\n"
      "{\"audio_filepath\": \"x.wav\", \"offset\": 4, \"duration\": 1, \"text\": \"b\", "
      "\"channel\": 1}\n"
      "{\"audio_filepath\": \"x.wav\", \"duration\": 9, \"text\": \"c\", \"channel\": \"mix\"}\n");
  std::vector<Utterance> utterances = read_manifest(folder / "m.jsonl");
  ASSERT_EQ(utterances.size(), 3u);
  EXPECT_EQ(utterances[0].id, "x-1.250");
  EXPECT_EQ(utterances[0].part, (AudioPart{1.25, 2, -1}));
  EXPECT_EQ(utterances[1].part, (AudioPart{4, 1, 1}));
  EXPECT_EQ(utterances[2].id, "x");
  EXPECT_EQ(utterances[2].part, AudioPart{});
  write_manifest(folder / "n.jsonl", utterances);
  const std::vector<Utterance> back = read_manifest(folder / "n.jsonl");
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(back[i].id, utterances[i].id);
    EXPECT_EQ(back[i].part, utterances[i].part);
    EXPECT_EQ(back[i].seconds, utterances[i].seconds);
  }
  const std::string head = "{\"audio_filepath\": \"x.wav\", \"text\": \"\", \"duration\": ";
  EXPECT_THAT(complaint(head + "1, \"offset\": -1}"), HasSubstr("\"offset\" is -1"));
  EXPECT_THAT(complaint(head + "0, \"offset\": 1}"), HasSubstr("\"duration\" of 0"));
  EXPECT_THAT(complaint(head + "1, \"channel\": \"left\"}"), HasSubstr("\"channel\" is"));
}

TEST(Split, SetsWholeSpeakersAside) {
  std::vector<Utterance> utterances;
  for (int i = 0; i < 30; ++i)
    utterances.push_back({std::to_string(i), "x.wav", 1, "a", "s" + std::to_string(i % 6)});
  const auto [rest, aside] = split_speakers(utterances, 2);
  EXPECT_EQ(rest.size(), 20u);
  EXPECT_EQ(aside.size(), 10u);
  for (const Utterance& a : aside)
    for (const Utterance& b : rest) EXPECT_NE(a.speaker, b.speaker);
  EXPECT_THROW(split_speakers(utterances, 6), UserError);
  utterances[3].speaker = "";
  EXPECT_THROW(split_speakers(utterances, 1), UserError);
}

// data/an4/README.md: the first 8 of the 74 speakers, by the hash of their names, are dev.
TEST(Split, TheEmbeddedCorpusFollowsItsRule) {
  const fs::path an4 = fs::path(SCION_SOURCE_DIR) / "data/an4";
  std::vector<Utterance> train = read_manifest(an4 / "train.jsonl");
  const std::vector<Utterance> dev = read_manifest(an4 / "dev.jsonl");
  EXPECT_EQ(train.size(), 845u);
  EXPECT_EQ(dev.size(), 103u);
  EXPECT_EQ(read_manifest(an4 / "test.jsonl").size(), 130u);
  train.insert(train.end(), dev.begin(), dev.end());
  const auto [rest, aside] = split_speakers(train, 8);
  ASSERT_EQ(aside.size(), dev.size());
  for (size_t i = 0; i < dev.size(); ++i) EXPECT_EQ(aside[i].id, dev[i].id);
}

}  // namespace
}  // namespace scion
