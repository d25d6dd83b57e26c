#include "scion/scoring/sclite.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace scion {
namespace {

SetScore small_set() {
  return score(
      {{"a-1", "the cat sat on a mat"}, {"b-2", "hello there world"}, {"a-3", "fine"}},
      {{"a-1", "the cat foo sit a mat"}, {"b-2", "hello the are world now"}, {"a-3", "fine"}},
      {.speakers_from_ids = true});
}

// As sclite 2.10 prints it, but for the order of the insertion and the substitution, which cost
// the same either way.
TEST(Sclite, PrintsAlignments) {
  const SetScore result = small_set();
  EXPECT_EQ(sclite_text(result.utterances[0]),
            "id: (a-1)\n"
            "Scores: (#C #S #D #I) 4 2 0 0\n"
            "REF:  the cat SAT ON  a mat \n"
            "HYP:  the cat FOO SIT a mat \n"
            "Eval:         S   S         \n");
  EXPECT_EQ(sclite_text(result.utterances[0], Capitals::none),
            "id: (a-1)\n"
            "Scores: (#C #S #D #I) 4 2 0 0\n"
            "REF:  the cat sat on  a mat \n"
            "HYP:  the cat foo sit a mat \n"
            "Eval:         S   S         \n");
  EXPECT_EQ(sclite_text(result.utterances[2]),
            "id: (a-3)\nScores: (#C #S #D #I) 1 0 0 0\nREF:  fine \nHYP:  fine \nEval:      \n");
  const SetScore uneven = score({{"u", "a é c"}}, {{"u", "a c longer"}});
  EXPECT_EQ(sclite_text(uneven.utterances[0]),
            "id: (u)\n"
            "Scores: (#C #S #D #I) 2 0 1 1\n"
            "REF:  a é c ****** \n"
            "HYP:  a * c LONGER \n"
            "Eval:   D   I      \n");
}

// As sclite -D prints it.
TEST(Sclite, AnOptionalWordThatIsLeftOutIsBlank) {
  const SetScore result = score({{"u", "b (c) d", "", true}}, {{"u", "b e"}});
  EXPECT_EQ(sclite_text(result.utterances[0]),
            "id: (u)\n"
            "Scores: (#C #S #D #I) 2 1 0 0\n"
            "REF:  b (c) D \n"
            "HYP:  b     E \n"
            "Eval:       S \n");
}

// Counts of sclite 2.10 for the same two files.
TEST(Sclite, TableBySpeaker) {
  const std::vector<SpeakerScore> speakers = scores_by_speaker(small_set());
  ASSERT_EQ(speakers.size(), 2U);
  EXPECT_EQ(speakers[0].words, (ErrorCounts{2, 0, 0, 5}));
  EXPECT_EQ(speakers[1].words, (ErrorCounts{1, 2, 0, 2}));
  EXPECT_EQ(speaker_table(speakers),
            "speaker   # Snt   # Wrd    Corr    Sub    Del    Ins    Err  S.Err\n"
            "a             2       7    71.4   28.6    0.0    0.0   28.6   50.0\n"
            "b             1       3    66.7   33.3    0.0   66.7  100.0  100.0\n"
            "all           3      10    70.0   30.0    0.0   20.0   50.0   66.7\n");
  EXPECT_EQ(to_json(speakers)[1].at("insertions"), 2);
}

TEST(Sclite, ConfusionsByCountThenLetters) {
  const SetScore result =
      score({{"1", "b x"}, {"2", "b y"}, {"3", "a q"}}, {{"1", "c x z"}, {"2", "c y"}, {"3", "d"}});
  const Confusions confusions = count_confusions(result.utterances);
  ASSERT_EQ(confusions.substitutions.size(), 2U);
  EXPECT_EQ(confusions.substitutions[0].reference, "b");
  EXPECT_EQ(confusions.substitutions[0].hypothesis, "c");
  EXPECT_EQ(confusions.substitutions[0].count, 2);
  const std::string text = to_text(confusions, 1);
  EXPECT_EQ(text.substr(0, text.find("inserted")), "confused (3, 2 different)\n      2  b → c\n");
  EXPECT_NE(text.find("inserted (1, 1 different)\n      1  z\n"), std::string::npos);
  const nlohmann::json json = to_json(confusions, 5);
  EXPECT_EQ(json.at("insertions").dump(), R"([{"count":1,"hypothesis":"z"}])");
  EXPECT_EQ(json.at("deletions").size(), 1U);
}

}  // namespace
}  // namespace scion
