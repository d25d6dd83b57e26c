#include "scion/nn/axis.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"

namespace scion {
namespace {

const Indices& no_choice(const Axis&, const Axis& leaf) {
  ADD_FAILURE() << "asked for the leaf " << leaf.name();
  static const Indices none;
  return none;
}

TEST(Axis, LeafTakesTheChosenIndices) {
  const Indices chosen = {1, 4};
  const auto choice = [&](const Axis& from, const Axis& leaf) -> const Indices& {
    EXPECT_EQ(from.name(), "layers.3.ff");
    EXPECT_EQ(leaf.name(), "layers.0.ff");
    return chosen;
  };
  EXPECT_EQ(resolve_indices(Axis::leaf("layers.3.ff", 6), Axis::leaf("layers.0.ff", 2), choice),
            chosen);
}

TEST(Axis, ProductIsOuterMajor) {
  const std::map<std::string, Indices> chosen = {{"heads", {0, 2}}, {"query", {1, 3}}};
  const auto choice = [&](const Axis&, const Axis& leaf) -> const Indices& {
    return chosen.at(leaf.name());
  };
  const Axis teacher = Axis::product(Axis::leaf("heads", 3), Axis::leaf("query", 4));
  const Axis student = Axis::product(Axis::leaf("heads", 2), Axis::leaf("query", 2));
  EXPECT_EQ(resolve_indices(teacher, student, choice), (Indices{1, 3, 9, 11}));
}

TEST(Axis, ConcatSharesTheLeafBetweenItsParts) {
  const Indices chosen = {0, 2};
  const auto choice = [&](const Axis&, const Axis&) -> const Indices& { return chosen; };
  const Axis teacher_half = Axis::leaf("channels", 3), student_half = Axis::leaf("channels", 2);
  EXPECT_EQ(resolve_indices(Axis::concat({teacher_half, teacher_half}),
                            Axis::concat({student_half, student_half}), choice),
            (Indices{0, 2, 3, 5}));
}

TEST(Axis, ConvolutionFlattenedOverChannelsAndFrequency) {
  const Indices chosen = {1};
  const auto choice = [&](const Axis&, const Axis&) -> const Indices& { return chosen; };
  EXPECT_EQ(resolve_indices(Axis::product(Axis::leaf("channels", 2), Axis::fixed(3)),
                            Axis::product(Axis::leaf("channels", 1), Axis::fixed(3)), choice),
            (Indices{3, 4, 5}));
}

TEST(Axis, WhatTheTeacherLacksIsLackingInAFlattenedDimension) {
  const Indices chosen = {1, -1};
  const auto choice = [&](const Axis&, const Axis&) -> const Indices& { return chosen; };
  EXPECT_EQ(resolve_indices(Axis::product(Axis::labels(3), Axis::fixed(2)),
                            Axis::product(Axis::labels(2), Axis::fixed(2)), choice),
            (Indices{2, 3, -1, -1}));
  EXPECT_EQ(resolve_indices(Axis::concat({Axis::fixed(1), Axis::labels(3)}),
                            Axis::concat({Axis::fixed(1), Axis::labels(2)}), choice),
            (Indices{0, 2, -1}));
}

TEST(Axis, FixedSizesMustAgree) {
  EXPECT_EQ(resolve_indices(Axis::fixed(2), Axis::fixed(2), no_choice), (Indices{0, 1}));
  EXPECT_THROW(resolve_indices(Axis::fixed(2), Axis::fixed(1), no_choice), UserError);
}

TEST(Axis, FormsMustAgree) {
  EXPECT_THROW(resolve_indices(Axis::fixed(2), Axis::leaf("ff", 2), no_choice), UserError);
}

TEST(Axis, FanCountsOnePartOfAConcat) {
  const Axis channels = Axis::leaf("channels", 6);
  EXPECT_EQ(Axis::concat({channels, channels}).fan(), 6);
  EXPECT_EQ(Axis::concat({channels, channels}).size(), 12);
}

TEST(Axis, ReadsWell) {
  const Axis query =
      Axis::product(Axis::leaf("encoder.layers.0.heads", 4), Axis::leaf("a.query", 24));
  EXPECT_EQ(query.to_string(), "heads(4) × query(24)");
  const Axis half = Axis::leaf("channels", 8);
  EXPECT_EQ(Axis::taps("a.taps", 5, Axis::Anchor::newest).to_string(), "taps(5)");
  EXPECT_EQ(Axis::labels(500).to_string(), "vocabulary(500)");
  EXPECT_EQ(Axis::concat({half, half}).to_string(), "[channels(8) | channels(8)]");
}

}  // namespace
}  // namespace scion
