#include "scion/scoring/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/log_sink.h"
#include "scion/scoring/transcripts.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Score, MissingAndExtraIds) {
  const std::vector<Transcript> references = {{"a", "x y"}, {"b", "z"}};
  EXPECT_EQ(message_of<UserError>([&] {
              score(references, {{"a", "x y"}});
            }),
            "1 of 2 references have no hypothesis: b");
  EXPECT_EQ(message_of<UserError>([&] {
              score(references, {{"a", "x"}, {"c", ""}});
            }),
            "1 of 2 references have no hypothesis: b; 1 hypotheses have no reference: c");
  EXPECT_EQ(message_of<UserError>([&] {
              score(references, {{"a", ""},
                                 {"b", ""},
                                 {"c", ""},
                                 {"d", ""},
                                 {"e", ""},
                                 {"f", ""},
                                 {"g", ""},
                                 {"h", ""},
                                 {"i", ""}});
            }),
            "7 hypotheses have no reference: c, d, e, f, g and 2 more");
  ScoreOptions options;
  options.missing_as_empty = true;
  const SetScore result = score(references, {{"a", "x"}}, options);
  EXPECT_EQ(result.words, (ErrorCounts{0, 0, 2, 1}));
  EXPECT_THAT(result.missing, ElementsAre("b"));
  EXPECT_THAT(to_text(result), HasSubstr("1 without a hypothesis, scored as empty: b"));
}

TEST(Score, Speakers) {
  const std::vector<Transcript> references = {
      {"12-1-a", "x y", "s"}, {"3-9", "z", "s"}, {"12-2", "z z z", "t"}};
  const std::vector<Transcript> hypotheses = {{"3-9", "q"}, {"12-2", "z"}, {"12-1-a", "x y"}};
  ScoreOptions options;
  options.by_speaker = true;
  SetScore result = score(references, hypotheses, options);
  EXPECT_EQ(result.units, 2);
  EXPECT_THAT(counts_by_speaker(result.utterances),
              ElementsAre(ErrorCounts{1, 0, 0, 2}, ErrorCounts{0, 0, 2, 1}));
  options.speakers_from_ids = true;
  result = score(references, hypotheses, options);
  EXPECT_EQ(result.utterances[0].speaker, "12");
  EXPECT_THAT(counts_by_speaker(result.utterances),
              ElementsAre(ErrorCounts{0, 0, 2, 3}, ErrorCounts{1, 0, 0, 0}));
  options.speakers_from_ids = false;
  options.utt2spk = {{"12-1-a", "x"}, {"3-9", "y"}, {"12-2", "y"}};
  EXPECT_EQ(score(references, hypotheses, options).utterances[2].speaker, "y");
  options.utt2spk.erase("3-9");
  EXPECT_THAT(message_of<UserError>([&] { score(references, hypotheses, options); }),
              HasSubstr("'3-9' is not in utt2spk"));
  options.utt2spk.clear();
  EXPECT_THAT(message_of<UserError>([&] {
                score({{"a", "x"}}, {{"a", "x"}}, options);
              }),
              HasSubstr("the speaker of reference 'a' is not known"));
}

TEST(Score, IdsThatDifferInLetterCaseAreEqualWhereThatIsUnambiguous) {
  EXPECT_EQ(score({{"U1", "x"}, {"v", "y"}}, {{"u1", "x"}, {"V", "y"}}).words.errors(), 0);
  EXPECT_THAT(message_of<UserError>([] {
                score({{"u", "x"}, {"U", "y"}}, {{"u", "x"}});
              }),
              HasSubstr("1 of 2 references have no hypothesis: U"));
}

TEST(Score, SpeakersOfIdsAreThoseOfSclite) {
  EXPECT_EQ(speaker_of_id("1089-134686-0000"), "1089");
  EXPECT_EQ(speaker_of_id("a_1"), "a");
  EXPECT_EQ(speaker_of_id("f_a-1"), "f_a");
  EXPECT_EQ(speaker_of_id("utterance"), "utterance");
}

TEST(Score, WarnsWhereEveryUtteranceIsASpeaker) {
  std::string lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines += line; });
  ScoreOptions options;
  options.speakers_from_ids = true;
  score({{"a1", "x"}, {"a2", "y"}}, {{"a1", "x"}, {"a2", "y"}}, options);
  EXPECT_THAT(lines, HasSubstr("every utterance is a speaker of its own"));
  lines.clear();
  score({{"a-1", "x"}, {"a-2", "y"}}, {{"a-1", "x"}, {"a-2", "y"}}, options);
  EXPECT_EQ(lines, "");
  set_log_sink({});
}

TEST(Score, EmptyReferencesCountInsertions) {
  const SetScore result = score({{"a", ""}, {"b", "x"}}, {{"a", "y z"}, {"b", "x"}});
  EXPECT_EQ(result.words, (ErrorCounts{0, 2, 0, 1}));
}

TEST(Score, SaysHowManyErrorsAreOfLetterCase) {
  const SetScore result = score({{"a", "The cat sat"}}, {{"a", "the Cat stood"}});
  EXPECT_THAT(to_text(result),
              HasSubstr("2 of the 3 word errors differ in letter case only: --case lower"));
  EXPECT_EQ(to_json(result)["case_errors"], 2);
}

TEST(Score, MarksAreScored) {
  ScoreOptions options;
  options.text.letter_case = LetterCase::lower;
  const SetScore result = score({{"a", "i { UM / uh } (really) see it;tag", "s", true}},
                                {{"a", "I uh see it", "", true}}, options);
  EXPECT_EQ(result.words, (ErrorCounts{0, 0, 0, 5}));
  EXPECT_EQ(result.characters, (ErrorCounts{0, 0, 0, 11}));
  // The same characters are words where the text has no marks.
  EXPECT_EQ(score({{"a", "{ a / b }"}}, {{"a", "b"}}).words.deletions, 4);
}

TEST(Score, TextAndJson) {
  const SetScore result = score({{"u", "a b c d"}}, {{"u", "a x d e"}});
  EXPECT_EQ(to_text(result.utterances[0]),
            "u: 3 errors in 4 words\n"
            "  ref a b c d *\n"
            "  hyp a * x d e\n"
            "        D S   I\n");
  const nlohmann::json json = to_json(result, true);
  EXPECT_EQ(json["wer"], 75.0);
  EXPECT_EQ(json["words"]["reference"], 4);
  EXPECT_EQ(json["words"]["deletions"], 1);
  EXPECT_EQ(json["alignments"][0]["alignment"][1],
            nlohmann::json::parse(R"(["deletion", "b", ""])"));
  EXPECT_FALSE(to_json(result).contains("alignments"));
  EXPECT_THAT(to_text(result), HasSubstr("75.00 %"));
}

// Part of LibriSpeech test-clean with a published system's output.
TEST(Score, GoldenPart) {
  const std::string stem = SCION_SOURCE_DIR "/tests/golden/scoring/test-clean-part.";
  const SetScore result = score(read_transcripts(stem + "ref.tsv", Role::reference),
                                read_transcripts(stem + "hyp.tsv", Role::hypothesis));
  EXPECT_EQ(result.utterances.size(), 62);
  EXPECT_EQ(result.words, (ErrorCounts{75, 15, 16, 1394 - 75 - 16}));
  EXPECT_EQ(result.characters.errors(), 203);
  EXPECT_EQ(result.characters.reference_length(), 7476);
  EXPECT_LT(result.interval.low, result.words.rate());
  EXPECT_GT(result.interval.high, result.words.rate());
}

// All of it, where it is at hand: the published score is 3.6537583688 %.
TEST(Score, PublishedScore) {
  const std::string folder = SCION_SOURCE_DIR "/../shared/data/scoring/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  ScoreOptions options;
  options.by_speaker = options.speakers_from_ids = true;
  const SetScore result =
      score(read_transcripts(folder + "test-clean.ref.tsv", Role::reference),
            read_transcripts(folder + "test-clean.hyp.tsv", Role::hypothesis), options);
  EXPECT_EQ(result.words, (ErrorCounts{1501, 195, 225, 52576 - 1501 - 225}));
  EXPECT_NEAR(100 * result.words.rate(), 3.6537583688, 1e-10);
  EXPECT_EQ(result.units, 40);
}

TEST(Score, TextsAreNormalisedFirst) {
  const std::vector<Transcript> references = {{"a", "He said: \"Don\xE2\x80\x99t!\""}};
  const std::vector<Transcript> hypotheses = {{"a", "HE SAID DON'T"}};
  EXPECT_EQ(score(references, hypotheses).words.errors(), 3);
  ScoreOptions options;
  options.text = {.letter_case = LetterCase::lower, .punctuation = Punctuation::drop};
  const SetScore result = score(references, hypotheses, options);
  EXPECT_EQ(result.words.errors(), 0);
  EXPECT_EQ(result.characters.errors(), 0);
}

}  // namespace
}  // namespace scion
