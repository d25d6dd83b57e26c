#include "scion/scoring/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Score, ReadsKaldiText) {
  const auto transcripts =
      parse_transcripts("a-1\tone  two\nb-2 three\tfour\r\n\nc-3\n", Role::reference, "x");
  ASSERT_EQ(transcripts.size(), 3);
  EXPECT_EQ(transcripts[0].id, "a-1");
  EXPECT_THAT(split_words(transcripts[0].text), ElementsAre("one", "two"));
  EXPECT_THAT(split_words(transcripts[1].text), ElementsAre("three", "four"));
  EXPECT_EQ(transcripts[2].id, "c-3");
  EXPECT_EQ(transcripts[2].text, "");
}

TEST(Score, ReadsJsonLines) {
  const std::string lines = R"({"id": "a", "text": "one two", "pred_text": "one", "speaker": "s"})"
                            "\n"
                            R"({"id": 7, "text": "three", "speaker": 12})"
                            "\n";
  const auto references = parse_transcripts(lines, Role::reference, "x");
  EXPECT_EQ(references[0].text, "one two");
  EXPECT_EQ(references[0].speaker, "s");
  EXPECT_EQ(references[1].id, "7");
  EXPECT_EQ(references[1].speaker, "12");
  const auto hypotheses = parse_transcripts(lines, Role::hypothesis, "x");
  EXPECT_EQ(hypotheses[0].text, "one");
  EXPECT_EQ(hypotheses[1].text, "three");
}

TEST(Score, NamesTheBadLine) {
  const auto parse = [](const char* text) {
    return message_of<UserError>([&] { parse_transcripts(text, Role::reference, "refs.txt"); });
  };
  EXPECT_EQ(parse("a x\nb y\na z\n"), "id 'a' occurs again in line 3 of refs.txt");
  EXPECT_EQ(parse("{\"id\": \"a\", \"text\": \"\"}\n{\"id\"\n"), "line 2 of refs.txt is not JSON");
  // A number that no double holds: found by fuzzing.
  EXPECT_EQ(parse("{\"id\": 1e999, \"text\": \"\"}\n"), "line 1 of refs.txt is not JSON");
  EXPECT_EQ(parse("{\"id\": \"a\"}"), "'text' is missing in line 1 of refs.txt");
  EXPECT_EQ(parse("{\"text\": \"a\"}"),
            "'id' or 'audio_filepath' is missing in line 1 of refs.txt");
  EXPECT_EQ(parse("{\"id\": \"a\", \"text\": [1]}"),
            "'text' is array in line 1 of refs.txt, not text");
  EXPECT_EQ(parse(" \n"), "no transcripts in refs.txt");
}

TEST(Score, MissingAndExtraIds) {
  const std::vector<Transcript> references = {{"a", "x y"}, {"b", "z"}};
  EXPECT_EQ(message_of<UserError>([&] {
              score(references, {{"a", "x y"}});
            }),
            "1 of 2 references have no hypothesis: b");
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
  EXPECT_THAT(message_of<UserError>([&] {
                score({{"a", "x"}}, {{"a", "x"}}, options);
              }),
              HasSubstr("the speaker of reference 'a' is not known"));
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
  options.text = {.letter_case = "lower", .punctuation = "drop"};
  const SetScore result = score(references, hypotheses, options);
  EXPECT_EQ(result.words.errors(), 0);
  EXPECT_EQ(result.characters.errors(), 0);
}

}  // namespace
}  // namespace scion
