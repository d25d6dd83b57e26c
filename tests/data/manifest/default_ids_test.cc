#include "scion/data/manifest/default_ids.h"

#include <gmock/gmock.h>

namespace scion {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> filled_ids(const std::vector<std::pair<std::string, AudioPart>>& places) {
  std::vector<Utterance> utterances;
  for (const auto& [audio, part] : places)
    utterances.push_back({.id = "", .audio = audio, .text = "", .part = part});
  fill_default_ids(utterances);
  std::vector<std::string> ids;
  for (const Utterance& utterance : utterances) ids.push_back(utterance.id);
  return ids;
}

TEST(DefaultIds, AreStemsWhereStemsDiffer) {
  EXPECT_THAT(filled_ids({{"m/a/1.wav", {}}, {"m/b/2.wav", {}}, {"m/b/3.wav", {1.5, 2}}}),
              ElementsAre("1", "2", "3-1.500"));
}

TEST(DefaultIds, TakeMoreOfThePathWhereStemsRepeat) {
  EXPECT_THAT(filled_ids({{"m/a/0001.wav", {}}, {"m/b/0001.wav", {}}, {"m/b/2.wav", {}}}),
              ElementsAre("a/0001", "b/0001", "2"));
  EXPECT_THAT(filled_ids({{"m/a/1.wav", {0, 2}}, {"m/b/1.wav", {0, 2}}, {"m/b/1.wav", {2, 1}}}),
              ElementsAre("a/1-0.000", "b/1-0.000", "b/1-2.000"));
}

TEST(DefaultIds, TellPartsThatBeginAlikeApart) {
  EXPECT_THAT(
      filled_ids({{"c.wav", {1, 2, 0}}, {"c.wav", {1, 2, 1}}, {"c.wav", {1, 3, 0}}}),
      ElementsAre("c-1.000-3.000-channel0", "c-1.000-3.000-channel1", "c-1.000-4.000-channel0"));
  EXPECT_THAT(filled_ids({{"c.wav", {0, 0, 0}}, {"c.wav", {0, 0, 1}}}),
              ElementsAre("c-channel0", "c-channel1"));
}

TEST(DefaultIds, AreEqualForTheSamePartOfTheSameFile) {
  EXPECT_THAT(filled_ids({{"a/c.wav", {}}, {"./a/c.wav", {}}}), ElementsAre("c", "c"));
}

TEST(DefaultIds, GivenIdsStay) {
  std::vector<Utterance> utterances = {{.id = "x", .audio = "a/1.wav", .text = ""},
                                       {.id = "", .audio = "b/1.wav", .text = ""}};
  fill_default_ids(utterances);
  EXPECT_EQ(utterances[0].id, "x");
  EXPECT_EQ(utterances[1].id, "1");
}

}  // namespace
}  // namespace scion
