#include "scion/scoring/stm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/scoring/score.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> texts(const std::vector<Transcript>& transcripts) {
  std::vector<std::string> result;
  for (const Transcript& transcript : transcripts)
    result.push_back(transcript.id + ": " + transcript.text);
  return result;
}

TranscriptPair match(const std::string& stm, const std::string& ctm) {
  return match_by_time(parse_stm(stm, "r.stm"), parse_ctm(ctm, "h.ctm"));
}

// Ids and counts as sclite 2.4.10 prints them for -r r.stm stm -h h.ctm ctm.
TEST(Stm, SegmentsTakeTheWordsWhoseMiddleIsBeforeTheirEnd) {
  const TranscriptPair pair = match(
      ";; comment\nf A spk 1.0 2.0 <o,wa> one { two / too }\nf A other 2.0 3.0 three\n"
      "f A spk 3.0 4.0 four\n",
      "F a 0.2 0.2 early\nF a 1.1 0.2 one\nF a 1.8 0.3 too\nF a 1.9 0.4 three\nF a 9.0 0.2 four\n");
  EXPECT_THAT(texts(pair.references),
              ElementsAre("spk-000: one { two / too }", "other-000: three", "spk-001: four"));
  EXPECT_THAT(texts(pair.hypotheses),
              ElementsAre("spk-000: early one too", "other-000: three", "spk-001: four"));
  EXPECT_EQ(pair.references[2].speaker, "spk");
  EXPECT_EQ(score(pair.references, pair.hypotheses).words, (ErrorCounts{0, 1, 0, 4}));
}

TEST(Stm, SegmentsThatAreNotScoredTakeTheirWordsAlong) {
  const TranscriptPair pair = match("f 1 a 0 1 IGNORE_TIME_SEGMENT_IN_SCORING\nf 1 b 1 2 one\n",
                                    "f 1 0.2 0.2 noise\nf 1 1.2 0.2 one\n");
  EXPECT_THAT(texts(pair.references), ElementsAre("b-000: one"));
  EXPECT_THAT(texts(pair.hypotheses), ElementsAre("b-000: one"));
}

TEST(Stm, ChannelsWithoutWordsOrSegmentsAreNamed) {
  const TranscriptPair pair =
      match("f A a 0 1 one\nf B b 0 1 two\n", "f A 0.2 0.2 one\ng A 0.2 0.2 three\n");
  EXPECT_EQ(message_of<UserError>([&] { score(pair.references, pair.hypotheses); }),
            "1 of 2 references have no hypothesis: b-000; 1 hypotheses have no reference: file g, "
            "channel A");
  // One channel on either side: its name does not matter.
  EXPECT_EQ(match("f A a 0 1 one\n", "f 1 0.2 0.2 one\n").hypotheses[0].text, "one");
}

TEST(Stm, BadLinesAreNamed) {
  const auto message = [](const std::string& stm) {
    return error_of<UserError>([&] { parse_stm(stm, "f"); });
  };
  EXPECT_THAT(message("f A s 0 1 a\nf A s 1\n"), HasSubstr("the end is '' in line 2 of f"));
  EXPECT_THAT(message("f A s 2 1 a\n"), HasSubstr("the end, 1 s, is before the begin, 2 s"));
  EXPECT_THAT(message("f A s 0 1 { a\n"), HasSubstr("'{' without '}' in line 1"));
  EXPECT_THAT(message(";; nothing\n"), HasSubstr("no transcripts in f"));
}

}  // namespace
}  // namespace scion
