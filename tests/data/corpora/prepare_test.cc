#include "scion/data/corpora/prepare.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

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
  EXPECT_THAT(read_file(corpus / "out/skipped.jsonl"), HasSubstr("characters outside"));
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
  config.tokenizer.kind = "bpe";
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
