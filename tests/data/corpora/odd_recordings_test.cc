#include "scion/data/corpora/odd_recordings.h"

#include <gmock/gmock.h>

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Utterance said(const std::string& id, const std::string& text, double seconds) {
  Utterance utterance;
  utterance.id = id;
  utterance.text = text;
  utterance.seconds = seconds;
  return utterance;
}

const AudioQuality ordinary = {.peak = 0.5, .power = 0.01, .averaged_power = 0.01};

TEST(OddRecordings, OrdinaryOnesGiveNoLine) {
  OddRecordings odd;
  odd.look_at(said("a", "one two three", 1.2), ordinary);
  odd.look_at(said("b", "你好世界", 1), ordinary);
  odd.look_at(said("no text, which is skipped", "", 9), ordinary);
  EXPECT_THAT(odd.lines(), IsEmpty());
}

TEST(OddRecordings, EachSignIsCountedWithAFewExamples) {
  OddRecordings odd;
  AudioQuality stereo = ordinary;
  stereo.averaged_channels = 2;
  for (const char* id : {"a", "b", "c", "d"}) odd.look_at(said(id, "one two", 1), stereo);
  AudioQuality cancelled = stereo, clipped = ordinary, loud = ordinary;
  cancelled.averaged_power = 0;
  clipped.clipped_share = 0.01;
  loud.peak = 4;
  odd.look_at(said("e", "one two", 1), cancelled);
  odd.look_at(said("f", "one two", 1), clipped);
  odd.look_at(said("g", "one two", 1), loud);
  odd.look_at(said("h", "one two", 1), {});
  EXPECT_THAT(odd.lines(),
              ElementsAre("5 utterances with several channels, which were averaged; "
                          "--channel chooses one (a, b, c, …)",
                          HasSubstr("1 utterance with channels that cancel each other"),
                          "1 utterance of silence: below -60 dB of full scale (h)",
                          HasSubstr("that clip"), HasSubstr("up to 4.0, where it is 1 (g)")));
}

TEST(OddRecordings, TextsThatNobodySaysInThatTime) {
  OddRecordings odd;
  odd.look_at(said("fast", std::string(41, 'x'), 1), ordinary);
  odd.look_at(said("possible", std::string(39, 'x') + std::string(30, ' '), 1), ordinary);
  odd.look_at(said("slow", "yes", 6.1), ordinary);
  odd.look_at(said("word", "yes", 5.9), ordinary);
  EXPECT_THAT(odd.lines(), ElementsAre(HasSubstr("more than 40 characters of text per second"),
                                       HasSubstr("fewer than 0.5 characters of text per second")));
  EXPECT_THAT(odd.lines(), ElementsAre(HasSubstr("(fast)"), HasSubstr("(slow)")));
}

}  // namespace
}  // namespace scion
