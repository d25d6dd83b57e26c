#include "scion/selection/plan.h"

#include <gtest/gtest.h>

#include <set>

#include "scion/core/error.h"
#include "scion/core/random.h"
#include "scion/selection/random_init.h"
#include "scion/selection/select.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::randomise;
using scion::testing::small_config;

ModelConfig enlarged(ModelConfig config) {
  config.conformer.width = 24;
  config.conformer.layers = 5;
  config.conformer.heads = 3;
  config.conformer.head_width = 10;
  config.conformer.feed_forward = 40;
  config.conformer.kernel = 9;
  config.conformer.subsampling_channels = 5;
  config.conformer.position_range = 6;
  config.lstm.width = 24;
  config.lstm.layers = 4;
  config.lstm.hidden = 18;
  config.lstm.subsampling_channels = 5;
  config.predictor_width = 14;
  config.joiner_width = 18;
  return config;
}

ModelConfig large_config(const std::string& positions, const std::string& norm) {
  return enlarged(small_config(positions, norm));
}

// What the model makes of one utterance: encoder frames, CTC and joiner logits.
std::vector<at::Tensor> outputs(const Transducer& model) {
  const at::NoGradGuard no_grad;
  at::manual_seed(11);
  const Context context;
  const EncoderOutput encoded =
      model.encode(at::randn({1, 47, 20}), at::tensor(std::vector<int64_t>{47}), context);
  const at::Tensor tokens = at::tensor(std::vector<int64_t>{1, 5, 3}).view({1, 3});
  const at::Tensor predicted =
      model.joiner().project_predictor(model.predictor().forward(tokens, context), context);
  const at::Tensor logits = model.joiner().logits(
      model.joiner().project_encoder(encoded.frames, context).unsqueeze(2), predicted.unsqueeze(1));
  return {model.ctc_logits(encoded.frames, context), logits};
}

void expect_same_outputs(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_LT((a[i] - b[i]).abs().max().item<float>(), 2e-5 * (1 + a[i].abs().max().item<float>()));
}

std::set<std::string> leaf_names(const Registry& registry) {
  std::set<std::string> names;
  for (const Parameter& parameter : registry.all())
    for (const Axis& axis : parameter.axes)
      axis.visit_leaves([&](const Axis& leaf) { names.insert(leaf.name()); });
  return names;
}

// Puts the elements of one leaf in another order, in every tensor.
void permute_leaf(Registry& registry, const std::string& name) {
  const at::NoGradGuard no_grad;
  std::map<std::string, Indices> orders;
  const auto choice = [&](const Axis& leaf) -> const Indices& {
    Indices& order = orders[leaf.name()];
    if (order.empty()) {
      for (int64_t i = 0; i < leaf.size(); ++i) order.push_back(i);
      if (leaf.name() == name) {
        Random random(9, Stream::selection, stable_hash(name));
        random.shuffle(order);
      }
    }
    return order;
  };
  for (const Parameter& parameter : registry.all())
    for (size_t d = 0; d < parameter.axes.size(); ++d) {
      const Indices order = resolve_indices(parameter.axes[d], parameter.axes[d], choice);
      parameter.tensor.copy_(
          parameter.tensor.index_select(static_cast<int64_t>(d), at::tensor(order)).clone());
    }
}

class EveryKind : public ::testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  ModelConfig teacher_config() const { return enlarged(student_config()); }
  ModelConfig student_config() const {
    const auto& [positions, norm] = GetParam();
    if (positions == "kind") return scion::testing::small_config_of_kind(norm);
    return small_config(positions, norm);
  }
};

TEST_P(EveryKind, PermutingALeafEverywhereLeavesTheFunctionUnchanged) {
  Transducer model(teacher_config(), 7);
  randomise(model, 1);
  const std::vector<at::Tensor> before = outputs(model);
  for (const std::string& leaf : leaf_names(model.registry())) {
    SCOPED_TRACE(leaf);
    permute_leaf(model.registry(), leaf);
    expect_same_outputs(before, outputs(model));
  }
}

TEST_P(EveryKind, EqualSizesGiveTheTeacherItself) {
  Transducer teacher(teacher_config(), 7);
  randomise(teacher, 2);
  for (const std::string name : {"paper", "published"}) {
    const Selection selection =
        select_student(teacher, teacher_config(), named_rules(name), "he", 5);
    for (const Parameter& parameter : teacher.registry().all())
      EXPECT_TRUE(
          at::equal(parameter.tensor, selection.student->registry().find(parameter.name)->tensor))
          << parameter.name;
  }
}

// Indices of a dimension worked out without Axis::resolve_indices: positions in the flattened
// dimension, found by enumerating the tree's coordinates.
struct Coordinate {
  std::vector<std::pair<std::string, int64_t>> leaves;  // leaf, element
  std::string rest;                                     // part and fixed positions
  auto operator<=>(const Coordinate&) const = default;
};

std::vector<Coordinate> coordinates(const Axis& axis) {
  std::vector<Coordinate> all;
  if (axis.form() == Axis::Form::product) {
    for (const Coordinate& outer : coordinates(axis.parts()[0]))
      for (Coordinate inner : coordinates(axis.parts()[1])) {
        inner.leaves.insert(inner.leaves.begin(), outer.leaves.begin(), outer.leaves.end());
        inner.rest = outer.rest + "x" + inner.rest;
        all.push_back(inner);
      }
  } else if (axis.form() == Axis::Form::concat) {
    for (size_t part = 0; part < axis.parts().size(); ++part)
      for (Coordinate inner : coordinates(axis.parts()[part])) {
        inner.rest = std::to_string(part) + "|" + inner.rest;
        all.push_back(inner);
      }
  } else {
    for (int64_t i = 0; i < axis.size(); ++i) {
      if (axis.form() == Axis::Form::leaf)
        all.push_back({{{"", i}}, ""});
      else if (axis.form() == Axis::Form::taps)  // counted from the anchor
        all.push_back({{},
                       std::to_string(axis.anchor() == Axis::Anchor::centre ? i - axis.size() / 2
                                                                            : i - axis.size())});
      else
        all.push_back({{}, std::to_string(i)});
    }
  }
  return all;
}

std::vector<std::string> leaves_in_order(const Axis& axis) {
  std::vector<std::string> names;
  axis.visit_leaves([&](const Axis& leaf) { names.push_back(leaf.name()); });
  return names;
}

Indices naive_indices(const Axis& teacher, const Axis& student, const Plan& plan) {
  // A concat shares its leaves between parts, so a coordinate's leaves are those of one part.
  const Axis& one_part = student.form() == Axis::Form::concat ? student.parts()[0] : student;
  const std::vector<std::string> names = leaves_in_order(one_part);
  const std::vector<Coordinate> of_teacher = coordinates(teacher);
  Indices indices;
  for (Coordinate wanted : coordinates(student)) {
    for (size_t i = 0; i < wanted.leaves.size(); ++i)
      wanted.leaves[i].second =
          plan.find_leaf(names[i])->indices.at(static_cast<size_t>(wanted.leaves[i].second));
    const auto found = std::find(of_teacher.begin(), of_teacher.end(), wanted);
    EXPECT_NE(found, of_teacher.end());
    indices.push_back(found - of_teacher.begin());
  }
  return indices;
}

TEST_P(EveryKind, EveryCopiedTensorEqualsANaiveIndexers) {
  Transducer teacher(teacher_config(), 7);
  randomise(teacher, 3);
  for (const std::string layers : {"first", "last", "even", "even-last", "drop-middle", "0,2"}) {
    SelectionRules rules = named_rules("paper");
    rules.layers = layers;
    const Selection selection = select_student(teacher, student_config(), rules, "xavier", 5);
    for (const TensorChoice& tensor : selection.plan.tensors) {
      ASSERT_NE(tensor.action, TensorChoice::Action::random) << tensor.student;
      const Parameter& from = *teacher.registry().find(tensor.teacher);
      const Parameter& to = *selection.student->registry().find(tensor.student);
      at::Tensor expected = from.tensor.detach();
      for (size_t d = 0; d < to.axes.size(); ++d) {
        // Position biases are cut around distance 0; all else is found by its coordinates.
        const Indices indices = naive_indices(from.axes[d], to.axes[d], selection.plan);
        std::vector<at::Tensor> slices;
        for (const int64_t i : indices)
          slices.push_back(expected.select(static_cast<int64_t>(d), i));
        expected = at::stack(slices, static_cast<int64_t>(d));
      }
      EXPECT_TRUE(at::equal(expected, to.tensor)) << tensor.student;
    }
  }
}

TEST_P(EveryKind, EveryLeafShowsInThePlan) {
  Transducer teacher(teacher_config(), 7), student(student_config(), 7);
  const Plan plan = make_plan(teacher.registry(), student.registry(), named_rules("paper"));
  for (const std::string& leaf : leaf_names(student.registry())) {
    const LeafChoice* choice = plan.find_leaf(leaf);
    ASSERT_NE(choice, nullptr) << leaf;
    EXPECT_TRUE(std::is_sorted(choice->indices.begin(), choice->indices.end())) << leaf;
    EXPECT_NE(plan.to_text().find(leaf), std::string::npos) << leaf;
  }
}

TEST_P(EveryKind, PlansCompose) {
  ModelConfig middle = student_config();
  middle.conformer.width = 20;
  middle.conformer.layers = 3;
  middle.conformer.feed_forward = 32;
  middle.conformer.heads = 2;
  middle.conformer.head_width = 8;
  middle.conformer.kernel = 7;
  middle.conformer.position_range = 5;
  Transducer teacher(teacher_config(), 7);
  randomise(teacher, 4);
  for (const std::string elements : {"even", "first", "random"}) {
    SelectionRules rules;
    rules.elements = elements;
    rules.layers = "even-last";
    const Selection one = select_student(teacher, middle, rules, "xavier", 1);
    const Selection two = select_student(*one.student, student_config(), rules, "xavier", 1);
    Transducer direct(student_config(), 7);
    apply_plan(compose(one.plan, two.plan), teacher.registry(), direct.registry());
    for (const Parameter& parameter : direct.registry().all())
      EXPECT_TRUE(at::equal(parameter.tensor, two.student->registry().find(parameter.name)->tensor))
          << parameter.name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, EveryKind,
    ::testing::Values(std::pair{"bias", "batch"}, std::pair{"bias", "layer"},
                      std::pair{"sinusoid", "batch"}, std::pair{"kind", "causal"},
                      std::pair{"kind", "chunked"}, std::pair{"kind", "fast_causal"},
                      std::pair{"kind", "lstm"}),
    [](const auto& info) { return info.param.first + "_" + info.param.second; });

TEST(Plan, PublishedTakesEveryDimensionByItself) {
  Transducer teacher(large_config("bias", "batch"), 7);
  randomise(teacher, 5);
  const Selection selection =
      select_student(teacher, small_config("bias", "batch"), named_rules("published"), "xavier", 1);
  for (const TensorChoice& tensor : selection.plan.tensors) {
    const at::Tensor& to = selection.student->registry().find(tensor.student)->tensor;
    at::Tensor expected = teacher.registry().find(tensor.teacher)->tensor.detach();
    for (int64_t d = 0; d < to.dim(); ++d)
      expected = expected.index_select(d, at::tensor(even_indices(expected.size(d), to.size(d))));
    EXPECT_TRUE(at::equal(expected, to)) << tensor.student;
  }
}

TEST(Plan, SurvivesJson) {
  Transducer teacher(large_config("bias", "batch"), 7), student(small_config(), 7);
  const Plan plan = make_plan(teacher.registry(), student.registry(), named_rules("paper"));
  const Plan again = Plan::from_json(nlohmann::json::parse(plan.to_json().dump()), "here");
  EXPECT_EQ(plan.to_json(), again.to_json());
  EXPECT_THROW(Plan::from_json({{"format", "other"}}, "here"), UserError);
  EXPECT_THROW(Plan::from_json(nlohmann::json::array(), "here"), UserError);
}

TEST(Plan, PartialLeavesNamedPartsRandomAndSaysSo) {
  Transducer teacher(large_config("bias", "batch"), 7);
  randomise(teacher, 6);
  SelectionRules rules;
  rules.partial = {"joiner"};
  const Selection selection = select_student(teacher, small_config(), rules, "xavier", 3);
  Transducer fresh(small_config(), 7);
  initialise(fresh.registry(), "xavier", 3);
  EXPECT_TRUE(at::equal(selection.student->joiner().weight(), fresh.joiner().weight()));
  EXPECT_NE(selection.plan.to_text().find("random  joiner.output.weight"), std::string::npos);
}

std::string selection_error(const ModelConfig& teacher_config, const ModelConfig& student_config) {
  Transducer teacher(teacher_config, 7);
  try {
    select_student(teacher, student_config, named_rules("paper"), "xavier", 1);
  } catch (const UserError& error) {
    EXPECT_FALSE(error.hint().empty());
    return error.what();
  }
  return "";
}

TEST(Plan, RefusesWhatDoesNotFitByName) {
  const ModelConfig teacher = large_config("bias", "batch");
  ModelConfig student = small_config();
  student.conformer.feed_forward = 41;
  EXPECT_NE(selection_error(teacher, student).find("encoder.layers.0.feed_forward1.hidden"),
            std::string::npos);
  student = small_config();
  student.conformer.layers = 6;
  EXPECT_NE(selection_error(teacher, student).find("6 layers"), std::string::npos);
  student = small_config("sinusoid");
  EXPECT_NE(selection_error(teacher, student).find("model.conformer.positions"), std::string::npos);
  student = small_config("bias", "batch", 6);
  EXPECT_NE(selection_error(teacher, student).find("model.conformer.subsampling"),
            std::string::npos);
  student = small_config();
  student.features.high_frequency = 0;
  EXPECT_NE(selection_error(teacher, student).find("model.features.high_frequency"),
            std::string::npos);
}

}  // namespace
}  // namespace scion
