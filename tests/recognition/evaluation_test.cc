#include "scion/recognition/evaluation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/log_sink.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"
#include "tests/model/small_models.h"
#include "tests/text/foreign_tokenizer.h"

namespace scion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Evaluation : public ::testing::Test {
 protected:
  Evaluation()
      : before_(set_log_sink(
            [this](LogLevel, std::string_view line) { lines_ += std::string(line) + "\n"; })) {}
  ~Evaluation() override { set_log_sink(before_); }
  EvaluationResult evaluated(const Tokenizer& tokenizer = small_tokenizer(), bool cached = false) {
    corpus_.save();
    const ModelConfig config = testing::small_config();
    Transducer model(config, tokenizer.size());
    testing::randomise(model, 1);
    const Dataset data({corpus_.manifest()}, config.features, tokenizer,
                       cached ? corpus_.cache() : "", {1.0}, {}, DataCheck::decode,
                       DataPurpose::evaluation);
    return evaluate(model, tokenizer, data, {});
  }
  static int64_t words_of(const EvaluationResult& result) {
    return result.score.words.reference_length();
  }

  SmallCorpus corpus_{6};
  std::string lines_;

 private:
  LogSink before_;
};

TEST_F(Evaluation, WhatTheModelCannotWriteCounts) {
  const EvaluationResult before = evaluated();
  corpus_.utterances()[1].text = "caf\xC3\xA9 three \xE7\x8C\xAB";
  corpus_.utterances()[2].text = "4 x";
  const EvaluationResult after = evaluated();
  EXPECT_EQ(after.score.utterances.size(), 6U);
  EXPECT_EQ(words_of(after), words_of(before) + 2 - 1);
  EXPECT_GE(after.score.utterances[1].words.errors(), 2);
  EXPECT_THAT(lines_, HasSubstr("2 references have characters that the model cannot write, which "
                                "count as errors: 4 a"));
}

TEST_F(Evaluation, InsertionsIntoAnEmptyReferenceCount) {
  const EvaluationResult before = evaluated();
  corpus_.utterances()[0].text = "";
  const EvaluationResult after = evaluated();
  EXPECT_EQ(after.score.utterances.size(), 6U);
  EXPECT_EQ(words_of(after), words_of(before) - 2);
  const ErrorCounts& empty = after.score.utterances[0].words;
  EXPECT_EQ(empty.errors(), empty.insertions);
  EXPECT_EQ(empty.reference_length(), 0);

  for (Utterance& utterance : corpus_.utterances()) utterance.text = "";
  const EvaluationResult nothing = evaluated();
  EXPECT_EQ(words_of(nothing), 0);
  EXPECT_EQ(nothing.to_json().at("wer").is_null(), nothing.score.words.errors() > 0);
}

TEST_F(Evaluation, AudioShorterThanAFrameHasAnEmptyHypothesis) {
  for (const bool cached : {false, true})
    for (const bool all : {false, true}) {
      for (Utterance& utterance : corpus_.utterances())
        if (all || utterance.id == "u03") write_sound(utterance.audio, {0.5F, 0.2F});
      const EvaluationResult result = evaluated(small_tokenizer(), cached);
      EXPECT_EQ(result.score.utterances.size(), 6U);
      EXPECT_EQ(result.utterances[3].hypothesis, "");
      EXPECT_EQ(result.score.utterances[3].words.deletions, 1);
    }
}

TEST_F(Evaluation, AFileThatCannotBeReadIsAnError) {
  std::filesystem::remove(corpus_.utterances()[4].audio);
  EXPECT_THAT(error_of<UserError>([&] { evaluated(); }),
              AllOf(HasSubstr("1 of 6 utterances of "), HasSubstr("cannot be read: u04 (")));
}

TEST_F(Evaluation, ReferencesAreNormalisedByATokenizersOwnRules) {
  corpus_.utterances()[1].text = "THREE";
  const Tokenizer folding = testing::case_folding_tokenizer(small_texts());
  EXPECT_EQ(evaluated(folding).utterances[1].reference, "three");
  EXPECT_THAT(lines_, HasSubstr("normalises text by nmt_nfkc_cf: 1 reference is scored as it "
                                "writes them: 'THREE' → 'three'"));
  EXPECT_EQ(evaluated().utterances[1].reference, "THREE");
}

}  // namespace
}  // namespace scion
