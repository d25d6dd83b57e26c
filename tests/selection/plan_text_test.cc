#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;

std::string plan_text(const ModelConfig& student, const SelectionRules& rules,
                      const Indices& pieces = {}) {
  Transducer teacher(enlarged(student), 7);
  randomise(teacher, 1);
  return select_student(teacher, student, rules, "xavier", 1, {}, pieces).plan.to_text();
}

// Without the spaces that align columns.
std::string squeezed(const std::string& text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' || (!result.empty() && result.back() != ' ')) result += c;
  return result;
}

void expect_lines(const std::string& text, const std::vector<std::string>& lines) {
  for (const std::string& line : lines)
    EXPECT_NE(squeezed(text).find(line), std::string::npos) << line << "\nin\n" << text;
}

TEST(PlanText, ShowsLayersLeavesAndShares) {
  expect_lines(
      plan_text(small_config("sinusoid"), {.layers = "even-last", .rescale = Rescaling::fan_in}),
      {"layers of encoder.layers\n student 0 1\n teacher 0 4\n",
       "encoder.residual 24 16 0 2 3 … 20 21 23\n",
       "encoder.layers.*.feed_forward1.hidden 40 24 0 2 3 … 36 37 39\n",
       "encoder.layers.*.attention.query 10 6 0 2 4 5 7 9\n",
       "encoder.layers.*.convolution.taps 9 5 2–6\n", "vocabulary 7 7 all\n",
       "× 0.880 encoder.layers.*.attention.query: products are summed over 6 instead of 10\n",
       "× 1.225 15 tensors by fan-in: ctc.weight, …\n",
       "8592 elements: 0.6 % copied whole, 99.4 % cropped\n"});
}

TEST(PlanText, SaysWhereLayersDiffer) {
  expect_lines(plan_text(small_config(),
                         {.elements = ElementRule::random, .partial = {"encoder.layers.1.*"}}),
               {"encoder.layers.{0}.feed_forward1.hidden", "--partial encoder.layers.1.*: "});
  expect_lines(plan_text(small_config(), {.elements = ElementRule::random}), {"each its own: "});
}

TEST(PlanText, FitsAScreen) {
  for (const Kind& kind : every_kind)
    for (const SelectionRules& rules : {named_rules("best"), named_rules("published"),
                                        SelectionRules{.elements = ElementRule::magnitude,
                                        .heads = HeadRule::spliced,
                                        .rescale = Rescaling::fan_in}}) {
      const std::string text =
          plan_text(kind.first == "kind" ? small_config_of_kind(kind.second)
                                         : small_config(kind.first, kind.second),
                    rules, {0, 1, -1, 3});
      std::istringstream lines(text);
      int count = 0;
      for (std::string line; std::getline(lines, line); ++count)
        EXPECT_LE(
            std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }), 100)
            << line;
      EXPECT_LE(count, 45) << text;
    }
}

}  // namespace
}  // namespace scion
