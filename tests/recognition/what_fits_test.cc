#include "scion/recognition/what_fits.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace scion {
namespace {

// Utterances of 3, 9 and 5 feature frames, and as many tokens as their place.
Batch three_utterances() {
  Batch batch;
  batch.features = at::arange(3 * 9 * 2, at::kFloat).view({3, 9, 2});
  batch.feature_lengths = at::tensor({3, 9, 5}, at::kLong);
  batch.tokens = at::tensor({1, 0, 2, 3, 4, 0}, at::kLong).view({3, 2});
  batch.token_lengths = at::tensor({1, 2, 1}, at::kLong);
  batch.ids = {"a", "b", "c"};
  batch.indices = {7, 8, 9};
  return batch;
}

// The ids of the utterances; memory for `frames` frames, padding included.
std::vector<std::string> ids_within(const Batch& batch, int64_t frames) {
  if (batch.features.size(0) * batch.features.size(1) > frames) throw std::bad_alloc();
  return batch.ids;
}

TEST(WhatFits, IsWorkedOnTogetherThenAlone) {
  const auto of = [](int64_t frames) {
    return work_on_what_fits<std::string>(
        three_utterances(), [&](const Batch& batch) { return ids_within(batch, frames); });
  };
  using Found = std::vector<std::optional<std::string>>;
  EXPECT_EQ(of(27), Found({"a", "b", "c"}));
  EXPECT_EQ(of(26), Found({"a", "b", "c"}));
  EXPECT_EQ(of(8), Found({"a", std::nullopt, "c"}));
  EXPECT_EQ(of(2), Found({std::nullopt, std::nullopt, std::nullopt}));
}

TEST(WhatFits, OtherErrorsAreNotCaught) {
  EXPECT_THROW(work_on_what_fits<int>(three_utterances(),
                                      [](const Batch&) -> std::vector<int> {
                                        throw std::runtime_error("a file vanished");
                                      }),
               std::runtime_error);
}

TEST(OneUtterance, HasNoPaddingAndKeepsItsPlace) {
  const Batch batch = three_utterances();
  const Batch one = one_utterance(batch, 2);
  EXPECT_TRUE(one.features.equal(batch.features.slice(0, 2, 3).slice(1, 0, 5)));
  EXPECT_TRUE(one.tokens.equal(at::tensor({4}, at::kLong).view({1, 1})));
  EXPECT_EQ(one.feature_lengths.item<int64_t>(), 5);
  EXPECT_EQ(one.token_lengths.item<int64_t>(), 1);
  EXPECT_EQ(one.ids, std::vector<std::string>({"c"}));
  EXPECT_EQ(one.indices, std::vector<int64_t>({9}));
}

}  // namespace
}  // namespace scion
