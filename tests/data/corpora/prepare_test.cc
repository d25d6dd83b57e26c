#include "scion/data/corpora/prepare.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/log_sink.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Prepare, WritesManifestTokenizerAndSummary) {
  SmallCorpus corpus(40);
  corpus.utterances()[4].text = "";
  corpus.utterances()[5].seconds = 99;  // the audio decides
  corpus.save();
  const nlohmann::ordered_json summary = prepare({}, corpus.manifest(), corpus / "out");
  EXPECT_EQ(summary["parts"]["manifest.jsonl"]["speakers"], 4);
  EXPECT_EQ(summary["skipped"], 1);
  EXPECT_EQ(nlohmann::ordered_json::parse(read_file(corpus / "out/summary.json")), summary);
  const std::vector<Utterance> kept = read_manifest(corpus / "out/manifest.jsonl");
  ASSERT_EQ(kept.size(), 39u);
  EXPECT_EQ(kept[4].id, "u05");
  EXPECT_NEAR(kept[4].seconds, 0.8, 1e-3);
  EXPECT_TRUE(fs::exists(kept[0].audio));
  EXPECT_EQ(Tokenizer::load(corpus / "out/tokenizer.model").size(), small_tokenizer().size());
  EXPECT_EQ(read_file(corpus / "out/skipped.jsonl"), "{\"id\":\"u04\",\"reason\":\"no text\"}\n");
  EXPECT_THAT(read_file(corpus / "out/train.toml"),
              AllOf(HasSubstr("letter_case = \"lower\""), HasSubstr("# evaluation")));
  EXPECT_EQ(summary["parts"]["manifest.jsonl"]["utterances"], 39);
  EXPECT_NEAR(summary["parts"]["manifest.jsonl"]["hours"].get<double>(), 28.9 / 3600, 1e-4);
}

TEST(Prepare, SaysWhatIsOddAboutRecordings) {
  SmallCorpus corpus(40);
  const std::vector<Utterance>& utterances = corpus.utterances();
  std::vector<float> samples = voice(0.8, 3), both;
  for (const float x : samples) both.insert(both.end(), {x, -x});
  write_sound(utterances[2].audio, both, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2);
  write_sound(utterances[3].audio, std::vector<float>(12'800));
  for (float& x : samples) x *= 32768;
  write_sound(utterances[9].audio, samples, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  const nlohmann::ordered_json summary = prepare({}, corpus.manifest(), corpus / "out");
  EXPECT_THAT(read_file(corpus / "out/skipped.jsonl"),
              AllOf(HasSubstr("u09"), HasSubstr("where full scale is 1")));
  EXPECT_THAT(summary["warnings"].dump(),
              AllOf(HasSubstr("1 utterance with several channels"),
                    HasSubstr("1 utterance with channels that cancel each other"),
                    HasSubstr("1 utterance of silence"), HasSubstr("(u03)")));
  EXPECT_EQ(summary["skipped"], 1);
}

TEST(Prepare, SetsSpeakersAside) {
  SmallCorpus corpus(40);
  PrepareConfig config;
  config.dev_speakers = 1;
  prepare(config, corpus.manifest(), corpus / "out");
  EXPECT_EQ(read_manifest(corpus / "out/manifest.jsonl").size(), 30u);
  EXPECT_EQ(read_manifest(corpus / "out/dev.jsonl").size(), 10u);
  EXPECT_THAT(read_file(corpus / "out/train.toml"),
              HasSubstr("\nevaluation = [\"dev=dev.jsonl\"]"));
}

TEST(Prepare, UsesAGivenTokenizerAndReportsWhatItLacks) {
  SmallCorpus corpus(40);
  corpus.utterances()[7].text = "one, two";
  corpus.save();
  write_file(corpus / "given.model", small_tokenizer().serialised());
  PrepareConfig config;
  config.tokenizer_path = (corpus / "given.model").string();
  EXPECT_EQ(prepare(config, corpus.manifest(), corpus / "out")["outside_alphabet"],
            nlohmann::ordered_json({","}));
  EXPECT_EQ(read_file(corpus / "out/tokenizer.model"), small_tokenizer().serialised());
  // It stays: in a test set it counts.
  EXPECT_EQ(read_manifest(corpus / "out/manifest.jsonl").size(), 40u);
}

TEST(Prepare, BlankReferencesStayInTestSets) {
  SmallCorpus corpus(40);
  for (Utterance& utterance : corpus.utterances())
    if (utterance.id == "u08" || utterance.id == "u09" || utterance.id == "u10" ||
        utterance.id == "u11")  // one of each speaker
      utterance.text = " ";
  corpus.save();
  PrepareConfig config;
  config.dev_speakers = 1;
  config.skip_share = 0.2;
  EXPECT_EQ(prepare(config, corpus.manifest(), corpus / "out")["skipped"], 3);
  EXPECT_EQ(read_manifest(corpus / "out/manifest.jsonl").size(), 27U);
  EXPECT_EQ(read_manifest(corpus / "out/dev.jsonl").size(), 10U);
  config = {};
  config.tokenizer_path = (corpus / "out/tokenizer.model").string();
  EXPECT_EQ(prepare(config, corpus.manifest(), corpus / "test")["skipped"], 0);
}

TEST(Prepare, SaysWhatTrainingWouldLeaveOut) {
  SmallCorpus corpus(10);
  write_sound(corpus.utterances()[2].audio, voice(31, 1));
  corpus.save();
  std::string lines;
  const LogSink before = set_log_sink([&](LogLevel, std::string_view line) { lines += line; });
  prepare({}, corpus.manifest(), corpus / "out");
  set_log_sink(before);
  EXPECT_THAT(lines, HasSubstr("1 of 10 utterances (0.01 of 0.01 h) are longer than "
                               "loader.longest_seconds = 30"));
}

TEST(Prepare, RefusesWhatItCanBeforeItDecodesAudio) {
  SmallCorpus corpus(10);
  for (const Utterance& utterance : corpus.utterances()) write_text(utterance.audio, "no audio");
  const auto refusal = [&](const PrepareConfig& config) {
    return error_of<UserError>([&] { prepare(config, corpus.manifest(), corpus / "out"); });
  };
  PrepareConfig config;
  config.tokenizer_path = (corpus / "none.model").string();
  EXPECT_THAT(refusal(config), HasSubstr("none.model"));
  config = {};
  config.dev_speakers = 4;
  EXPECT_THAT(refusal(config), HasSubstr("cannot hold out 4 of 4 speakers"));
  config = {};
  config.tokenizer.kind = PieceKind::bpe;
  config.tokenizer.vocabulary = 5000;
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("cannot train a bpe tokenizer of 5000 pieces"),
                                     Not(HasSubstr("utterances of"))));
}

TEST(Prepare, ListsAllThatIsSkippedBesideARefusal) {
  SmallCorpus corpus(40);
  for (const size_t i : {2, 3, 4}) write_text(corpus.utterances()[i].audio, "no audio");
  corpus.utterances()[5].text = "na\uFFFDve";
  corpus.save();
  PrepareConfig config;
  const auto refusal = [&] {
    return error_of<UserError>([&] { prepare(config, corpus.manifest(), corpus / "out/"); });
  };
  EXPECT_THAT(refusal(), HasSubstr("4 of 40 utterances"));
  const std::string list = read_file(corpus / "out.skipped.jsonl");
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 4);
  EXPECT_THAT(list, HasSubstr("\"id\":\"u04\""));
  config.skip_share = 0.1;
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(read_file(corpus / "out/skipped.jsonl"), list);
  EXPECT_FALSE(fs::exists(corpus / "out.skipped.jsonl"));
  EXPECT_EQ(read_manifest(corpus / "out/manifest.jsonl").size(), 36u);
}

// The errors that a model makes because it lacks a letter count.
TEST(Prepare, HeldOutTextsKeepLettersThatTheTokenizerLacks) {
  SmallCorpus corpus(40);
  PrepareConfig config;
  config.dev_speakers = 1;
  config.tokenizer.kind = PieceKind::character;
  prepare(config, corpus.manifest(), corpus / "first");
  const Utterance held_out = read_manifest(corpus / "first/dev.jsonl").front();
  for (Utterance& utterance : corpus.utterances())
    if (utterance.id == held_out.id) utterance.text = "z\u00E9ro";
  corpus.save();
  prepare(config, corpus.manifest(), corpus / "second");
  EXPECT_EQ(read_manifest(corpus / "second/dev.jsonl").front().text, "z\u00E9ro");
  EXPECT_EQ(read_file(corpus / "second/skipped.jsonl"), "");
  EXPECT_EQ(Tokenizer::load(corpus / "second/tokenizer.model").uncovered("\u00E9").size(), 1U);
}

TEST(Prepare, NamesThatAreNotUtf8AreRefused) {
  const TemporaryFolder folder;
  write_text(folder / "caf\xe9/7-1.trans.txt", "7-1-0 yes\n");
  write_sound(folder / "caf\xe9/7-1-0.wav", voice(0.5, 1));
  EXPECT_THAT(error_of<UserError>([&] { prepare({}, folder / "caf\xe9", folder / "out"); }),
              AllOf(HasSubstr("its file is not UTF-8"), HasSubstr("caf\\xe9/7-1-0.wav"),
                    HasSubstr("rename the file")));
}

TEST(Prepare, SaysWhatIsNotReadAsItWasWritten) {
  const TemporaryFolder folder;
  write_text(folder / "t.tsv", "client_id\tpath\tsentence\ns\ta.wav\t\"\"\"yes\"\"\"\n");
  write_sound(folder / "clips/a.wav", voice(0.5, 1));
  const nlohmann::ordered_json summary = prepare({}, folder / "t.tsv", folder / "out");
  EXPECT_EQ(summary["remarks"].size(), 1u);
  EXPECT_EQ(read_manifest(folder / "out/manifest.jsonl")[0].text, "\"yes\"");
}

TEST(Prepare, ReadsALibriSpeechTree) {
  const TemporaryFolder folder;
  std::string transcript;
  for (int i = 0; i < 4; ++i) {
    const std::string id = "7-1-000" + std::to_string(i);
    transcript += id + " HELLO WORLD\n";
    write_sound(folder / ("tree/7/1/" + id + ".flac"), voice(0.5, uint64_t(i)),
                SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  }
  write_text(folder / "tree/7/1/7-1.trans.txt", transcript);
  PrepareConfig config;
  config.tokenizer.kind = PieceKind::bpe;
  config.tokenizer.vocabulary = 14;
  prepare(config, folder / "tree", folder / "out");
  const std::vector<Utterance> kept = read_manifest(folder / "out/manifest.jsonl");
  ASSERT_EQ(kept.size(), 4u);
  EXPECT_EQ(kept[0].text, "hello world");
  EXPECT_NEAR(kept[0].seconds, 0.5, 1e-6);
  EXPECT_EQ(Tokenizer::load(folder / "out/tokenizer.model").size(), 14);
}

TEST(Prepare, LeavesNothingWhenItFails) {
  SmallCorpus corpus(10);
  fs::remove(corpus / "u02.wav");
  EXPECT_THAT(error_of<UserError>([&] { prepare({}, corpus.manifest(), corpus / "out"); }),
              HasSubstr("1 of 10 utterances"));
  EXPECT_FALSE(fs::exists(corpus / "out"));
  EXPECT_THAT(error_of<UserError>([&] { prepare({}, corpus.manifest(), corpus / "u01.wav"); }),
              HasSubstr("already exists"));
  EXPECT_THROW(prepare({}, corpus / "none.jsonl", corpus / "out"), UserError);
}

}  // namespace
}  // namespace scion
