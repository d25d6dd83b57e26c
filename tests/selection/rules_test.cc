#include "scion/selection/rules.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/safetensors.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

const std::filesystem::path golden =
    std::filesystem::path(SCION_SOURCE_DIR) / "tests/golden/weight_selection";

TEST(EvenIndices, EqualThePublishedTables) {
  const auto json = nlohmann::json::parse(read_file(golden / "uniform_element_selection.json"));
  ASSERT_FALSE(json.at("index_tables").empty());
  for (const auto& table : json.at("index_tables"))
    EXPECT_EQ(even_indices(table.at("teacher"), table.at("student")),
              table.at("indices").get<Indices>())
        << table.at("teacher") << " to " << table.at("student");
}

TEST(EvenIndices, SelectTheTensorsOfTheAuthorsCodeBitForBit) {
  const auto json = nlohmann::json::parse(read_file(golden / "uniform_element_selection.json"));
  const SafeTensors tensors = read_safetensors(golden / "uniform_element_selection.safetensors");
  for (const auto& test : json.at("cases")) {
    const std::string id = test.at("id");
    at::Tensor part = tensors.at(id + ".teacher");
    const at::Tensor& expected = tensors.at(id + ".student");
    for (int64_t d = 0; d < part.dim(); ++d)
      part = part.index_select(d, at::tensor(even_indices(part.size(d), expected.size(d))));
    EXPECT_TRUE(at::equal(part, expected)) << id;
  }
}

TEST(EvenIndices, AscendAndKeepBothEnds) {
  for (int64_t teacher = 2; teacher < 60; ++teacher)
    for (int64_t student = 2; student <= teacher; ++student) {
      const Indices indices = even_indices(teacher, student);
      EXPECT_EQ(indices.front(), 0);
      if (teacher % student != 0) {
        EXPECT_EQ(indices.back(), teacher - 1);
      }
      for (size_t i = 1; i < indices.size(); ++i) ASSERT_LT(indices[i - 1], indices[i]);
    }
}

TEST(SelectLayers, EachRule) {
  EXPECT_EQ(select_layers("first", 6, 3), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(select_layers("even", 6, 3), (std::vector<int64_t>{0, 2, 4}));
  EXPECT_EQ(select_layers("even-last", 6, 3), (std::vector<int64_t>{0, 3, 5}));
  EXPECT_EQ(select_layers("even-last", 4, 2), (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(select_layers("even-last", 4, 1), (std::vector<int64_t>{3}));
  EXPECT_EQ(select_layers("last", 6, 3), (std::vector<int64_t>{3, 4, 5}));
  EXPECT_EQ(select_layers("drop-middle", 6, 3), (std::vector<int64_t>{0, 1, 5}));
  EXPECT_EQ(select_layers("drop-middle", 12, 4), (std::vector<int64_t>{0, 1, 10, 11}));
  EXPECT_EQ(select_layers("drop-middle", 4, 1), (std::vector<int64_t>{0}));
  EXPECT_EQ(select_layers("1,2,5", 6, 3), (std::vector<int64_t>{1, 2, 5}));
  for (const std::string rule : {"first", "last", "even", "even-last", "drop-middle", "0,1,2,3"})
    EXPECT_EQ(select_layers(rule, 4, 4), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_THROW(select_layers("first", 2, 3), UserError);
}

TEST(SelectLayers, AscendAndDiffer) {
  for (const std::string rule : {"first", "last", "even", "even-last", "drop-middle"})
    for (int64_t teacher = 1; teacher < 20; ++teacher)
      for (int64_t student = 1; student <= teacher; ++student) {
        const std::vector<int64_t> layers = select_layers(rule, teacher, student);
        ASSERT_EQ(static_cast<int64_t>(layers.size()), student);
        EXPECT_GE(layers.front(), 0);
        EXPECT_LT(layers.back(), teacher);
        for (size_t i = 1; i < layers.size(); ++i) ASSERT_LT(layers[i - 1], layers[i]) << rule;
      }
}

TEST(SelectLayers, WhatDoesNotFitIsRefused) {
  for (const std::string rule :
       {"0,1", "0,1,6", "0,2,1", "1,1,2", "0,,2", "99999999999999999999,1,2"})
    EXPECT_THROW(select_layers(rule, 6, 3), UserError) << rule;
  for (const std::string rule : {"evenlast", "", "0;1", "-1"}) {
    EXPECT_THROW(select_layers(rule, 6, 3), UserError) << rule;
  }
  EXPECT_THROW(make_rules("paper", {{"layers", "frist"}}, "here"), UserError);
  EXPECT_THROW(make_rules("paper", {{"elements", "evne"}}, "here"), UserError);
}

TEST(SelectElements, RandomIsAscendingWithoutRepeatsAndSeeded) {
  SelectionRules rules;
  rules.elements = ElementRule::random;
  const Indices indices = select_elements(rules, "leaf", 100, 40);
  for (size_t i = 1; i < indices.size(); ++i) EXPECT_LT(indices[i - 1], indices[i]);
  EXPECT_EQ(indices, select_elements(rules, "leaf", 100, 40));
  EXPECT_NE(indices, select_elements(rules, "other", 100, 40));
  rules.seed = 2;
  EXPECT_NE(indices, select_elements(rules, "leaf", 100, 40));
}

TEST(Highest, AreKeptInTheirOrder) {
  EXPECT_EQ(highest({3, 1, 4, 1, 5, 9, 2, 6}, 3), (Indices{4, 5, 7}));
  EXPECT_EQ(highest({1, 1, 1, 1}, 2), (Indices{0, 1}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(highest({nan, 1, nan, 2, 0}, 3), (Indices{1, 3, 4}));
}

TEST(SelectTaps, CropAroundTheirAnchor) {
  const SelectionRules rules;
  EXPECT_EQ(select_taps(rules, 7, 3, Axis::Anchor::centre), (Indices{2, 3, 4}));
  EXPECT_EQ(select_taps(rules, 4, 2, Axis::Anchor::newest), (Indices{2, 3}));
  EXPECT_EQ(select_taps(rules, 5, 5, Axis::Anchor::centre), (Indices{0, 1, 2, 3, 4}));
  EXPECT_EQ(select_taps(rules, 9, 5, Axis::Anchor::zero), (Indices{2, 3, 4, 5, 6}));
  EXPECT_THROW(select_taps(rules, 3, 5, Axis::Anchor::centre), UserError);
  EXPECT_THROW(select_taps(rules, 8, 3, Axis::Anchor::centre), UserError);
}

TEST(SelectTaps, EvenlySpacedKeepCentreAndNewest) {
  const SelectionRules rules{.taps = TapRule::even};
  EXPECT_EQ(select_taps(rules, 15, 7, Axis::Anchor::centre), (Indices{0, 2, 5, 7, 9, 12, 14}));
  EXPECT_EQ(select_taps(rules, 2, 1, Axis::Anchor::newest), (Indices{1}));
  EXPECT_EQ(select_taps(rules, 9, 5, Axis::Anchor::zero), (Indices{2, 3, 4, 5, 6}));
  for (int64_t teacher = 1; teacher < 40; teacher += 2)
    for (int64_t student = 1; student <= teacher; student += 2) {
      const Indices taps = select_taps(rules, teacher, student, Axis::Anchor::centre);
      for (size_t i = 0; i < taps.size(); ++i)  // as far from one end as from the other
        ASSERT_EQ(taps[i] + taps[taps.size() - 1 - i], teacher - 1) << teacher << " " << student;
      EXPECT_EQ(select_taps(rules, teacher, student, Axis::Anchor::newest).back(), teacher - 1);
    }
}

TEST(NamedRules, TakeOptionsOfTheirOwn) {
  EXPECT_EQ(named_rules("best").layers, "even-last");
  EXPECT_EQ(named_rules("best").elements, ElementRule::magnitude);
  EXPECT_TRUE(named_rules("published").per_tensor);
  const SelectionRules rules =
      make_rules("best", {{"elements", "random"}, {"partial", {"ctc"}}}, "here");
  EXPECT_EQ(rules.layers, "even-last");
  EXPECT_EQ(rules.elements, ElementRule::random);
  EXPECT_EQ(rules.partial, std::vector<std::string>{"ctc"});
  EXPECT_THROW(make_rules("best", {{"element", "first"}}, "here"), UserError);
  EXPECT_THROW(make_rules("best", {{"heads", "halved"}}, "here"), UserError);
  EXPECT_THROW(make_rules("published", {{"heads", "ranked"}}, "here"), UserError);
}

TEST(NamedRules, UnknownNamesGetAHint) {
  EXPECT_NE(error_of<UserError>([] { named_rules("papr"); }).find("did you mean 'paper'"),
            std::string::npos);
}

}  // namespace
}  // namespace scion
