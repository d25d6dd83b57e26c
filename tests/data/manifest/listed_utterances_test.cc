#include "scion/data/manifest/listed_utterances.h"

#include <gtest/gtest.h>

#include "tests/data/small_corpus.h"

namespace scion {
namespace {

ListedUtterances listed(const std::function<void(std::vector<Utterance>&)>& change) {
  SmallCorpus corpus(5);
  change(corpus.utterances());
  corpus.save();
  return list_utterances({corpus.manifest().string()});
}

std::string change(const std::function<void(std::vector<Utterance>&)>& change) {
  return change_text(listed([](auto&) {}), listed(change));
}

TEST(ListedUtterances, AreTheSameInAnotherFolder) {
  EXPECT_EQ(change([](auto&) {}), "");
  EXPECT_EQ(listed([](auto&) {}).checksum(), listed([](auto&) {}).checksum());
}

TEST(ListedUtterances, ChangesAreCounted) {
  EXPECT_EQ(change([](auto& list) {
              list.pop_back();
              Utterance one = list[0], two = list[0];
              one.id = "new";
              two.id = "newer";
              list.insert(list.begin(), one);
              list.push_back(two);
              list[3].text += " more";
            }),
            "2 utterances added, 1 removed, 1 changed");
}

TEST(ListedUtterances, AnUtteranceThatIsListedTwiceIsAdded) {
  const SmallCorpus corpus(5);
  const std::string manifest = corpus.manifest().string();
  EXPECT_EQ(change_text(list_utterances({manifest}), list_utterances({manifest, manifest})),
            "5 utterances added, 0 removed, 0 changed");
}

TEST(ListedUtterances, TextPlaceAndLengthAreTheirContent) {
  const std::string one_changed = "0 utterances added, 0 removed, 1 changed";
  EXPECT_EQ(change([](auto& list) { list[1].text = "seven"; }), one_changed);
  EXPECT_EQ(change([](auto& list) { list[1].seconds += 0.1; }), one_changed);
  EXPECT_EQ(change([](auto& list) { list[1].part.channel = 0; }), one_changed);
  EXPECT_EQ(change([](auto& list) { list[1].part = {0.01, list[1].seconds}; }), one_changed);
}

TEST(ListedUtterances, TheirOrderCounts) {
  EXPECT_EQ(change([](auto& list) { std::swap(list[0], list[4]); }),
            "the same utterances in another order");
}

}  // namespace
}  // namespace scion
