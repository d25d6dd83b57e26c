// Properties of every plan, for all rules and kinds of models.
#include "scion/selection/plan.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/random.h"
#include "scion/nn/initialise.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;
using scion::testing::EveryKind;

// Each choice at least once.
std::vector<SelectionRules> many_rules() {
  return {named_rules("paper"),
          named_rules("best"),
          {.layers = "last",
           .elements = ElementRule::first,
           .taps = TapRule::even,
           .attention_scale = false},
          {.layers = "drop-middle", .elements = ElementRule::random, .rescale = Rescaling::fan_in},
          {.layers = "even", .elements = ElementRule::magnitude, .heads = HeadRule::ranked},
          {.layers = "0,2",
           .elements = ElementRule::activation,
           .heads = HeadRule::ranked,
           .taps = TapRule::even},
          {.elements = ElementRule::magnitude,
           .heads = HeadRule::spliced,
           .rescale = Rescaling::fan_in},
          {.elements = ElementRule::even, .heads = HeadRule::spliced},
          {.elements = ElementRule::magnitude, .rescale = Rescaling::fan_in, .per_tensor = true},
          named_rules("published")};
}

std::string describe(const SelectionRules& rules) {
  return fmt::format("layers {} elements {} heads {} taps {} rescale {} per tensor {}",
                     rules.layers, word_of(rules.elements), word_of(rules.heads),
                     word_of(rules.taps), word_of(rules.rescale), rules.per_tensor);
}

Selection select_by(const Transducer& teacher, const ModelConfig& student,
                    const SelectionRules& rules) {
  return select_student(teacher, student, rules, "xavier", 5,
                        rules.elements == ElementRule::activation
                            ? made_up_scores(teacher.registry(), grain_of(rules))
                            : LeafScores());
}

// Puts the elements of one leaf in another order, in every tensor.
void permute_leaf(Registry& registry, const std::string& name) {
  const at::NoGradGuard no_grad;
  std::map<std::string, Indices> orders;
  const auto choice = [&](const Axis&, const Axis& leaf) -> const Indices& {
    Indices& order = orders[leaf.name()];
    if (order.empty()) {
      for (int64_t i = 0; i < leaf.size(); ++i) order.push_back(i);
      if (leaf.name() == name) {
        Random random(9, RandomStream::selection, stable_hash(name));
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

TEST_P(EveryKind, PermutingALeafEverywhereLeavesTheFunctionUnchanged) {
  ModelConfig config = teacher_config();
  config.conformer.layers = config.lstm.layers = 2;
  Transducer model(config, 7);
  randomise(model, 1);
  const std::vector<at::Tensor> before = logits_of_one_utterance(model);
  for (const std::string& leaf : leaf_names(model.registry())) {
    SCOPED_TRACE(leaf);
    permute_leaf(model.registry(), leaf);
    expect_same_logits(before, logits_of_one_utterance(model));
  }
}

TEST_P(EveryKind, EqualSizesGiveTheTeacherItself) {
  Transducer teacher(teacher_config(), 7);
  randomise(teacher, 2);
  for (SelectionRules rules : many_rules()) {
    SCOPED_TRACE(describe(rules));
    if (rules.layers == "0,2") rules.layers = "even-last";
    const Selection selection = select_by(teacher, teacher_config(), rules);
    for (const Parameter& parameter : teacher.registry().all())
      EXPECT_TRUE(
          at::equal(parameter.tensor, selection.student->registry().find(parameter.name)->tensor))
          << parameter.name;
    for (const TensorChoice& tensor : selection.plan.tensors)
      EXPECT_NE(tensor.action, TensorChoice::Action::cropped) << tensor.student;
  }
}

// Origin of an index of a dimension, computed without resolve_indices: its place in every leaf, and
// the part of a concat or the fixed element that contains it.
struct Coordinate {
  std::vector<std::pair<std::string, int64_t>> leaves;
  std::string rest;
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
    for (int64_t i = 0; i < axis.size(); ++i)
      all.push_back(axis.form() == Axis::Form::fixed ? Coordinate{{}, std::to_string(i)}
                                                     : Coordinate{{{axis.name(), i}}, ""});
  }
  return all;
}

// The student's tensor, taken by the plan's lists of indices in each dimension.
at::Tensor naively_selected(const Parameter& from, const Parameter& to, const TensorChoice& tensor,
                            const Plan& plan) {
  at::Tensor values = from.tensor.detach() * tensor.scale;
  const std::vector<Axis> from_axes = plan_axes(from, plan.grain),
                          to_axes = plan_axes(to, plan.grain);
  for (size_t d = 0; d < to_axes.size(); ++d) {
    const std::vector<Coordinate> of_teacher = coordinates(from_axes[d]);
    std::vector<at::Tensor> slices;
    for (const Coordinate& of_student : coordinates(to_axes[d])) {
      Coordinate wanted{{}, of_student.rest};
      double scale = 1;
      for (const auto& [name, element] : of_student.leaves) {
        const LeafChoice& leaf = *plan.find_leaf(name);
        wanted.leaves.emplace_back(leaf.teacher, leaf.indices.at(static_cast<size_t>(element)));
        scale *= leaf.scale;
      }
      const auto found = std::find(of_teacher.begin(), of_teacher.end(), wanted);
      EXPECT_NE(found, of_teacher.end());
      slices.push_back(values.select(static_cast<int64_t>(d), found - of_teacher.begin()) * scale);
    }
    values = at::stack(slices, static_cast<int64_t>(d));
  }
  return values;
}

TEST_P(EveryKind, EveryCopiedTensorEqualsANaiveIndexers) {
  Transducer teacher(teacher_config(), 7);
  randomise(teacher, 3);
  for (const SelectionRules& rules : many_rules()) {
    SCOPED_TRACE(describe(rules));
    const Selection selection = select_by(teacher, student_config(), rules);
    for (const TensorChoice& tensor : selection.plan.tensors) {
      if (tensor.action == TensorChoice::Action::random) {
        EXPECT_TRUE(rules.per_tensor) << tensor.student;  // positions
        continue;
      }
      const Parameter& to = *selection.student->registry().find(tensor.student);
      const at::Tensor expected =
          naively_selected(*teacher.registry().find(tensor.teacher), to, tensor, selection.plan);
      EXPECT_TRUE(at::allclose(expected, to.tensor, 1e-6, 0)) << tensor.student;
      EXPECT_EQ(tensor.left, 0);
    }
  }
}

TEST_P(EveryKind, EveryLeafIsChosenAndShown) {
  Transducer teacher(teacher_config(), 7), student(student_config(), 7);
  for (const SelectionRules& rules : many_rules()) {
    if (rules.per_tensor || rules.heads == HeadRule::spliced ||
        rules.elements == ElementRule::activation)
      continue;
    SCOPED_TRACE(describe(rules));
    const Plan plan = make_plan(teacher.registry(), student.registry(), rules);
    for (const std::string& name : leaf_names(student.registry())) {
      const LeafChoice* leaf = plan.find_leaf(name);
      ASSERT_NE(leaf, nullptr) << name;
      EXPECT_TRUE(std::is_sorted(leaf->indices.begin(), leaf->indices.end())) << name;
      std::string shown = name;  // all layers are alike
      if (const size_t layers = shown.find(".layers.");
          layers != std::string::npos && name.starts_with("encoder"))
        shown.replace(layers + 8, 1, "*");
      EXPECT_NE(plan.to_text().find(shown), std::string::npos) << shown;
    }
  }
}

TEST_P(EveryKind, PlansCompose) {
  Transducer teacher(teacher_config(), 7);
  randomise(teacher, 4);
  for (SelectionRules rules : many_rules()) {
    SCOPED_TRACE(describe(rules));
    SelectionRules second = rules;
    if (rules.layers == "0,2") rules.layers = "0,2,3";
    const Selection one = select_by(teacher, middle_of(student_config()), rules);
    const Selection two = select_by(*one.student, student_config(), second);
    Transducer direct(student_config(), 7);
    initialise(direct.registry(), "xavier", 5);
    const Plan composed = compose(one.plan, two.plan);
    apply_plan(composed, teacher.registry(), direct.registry());
    for (const Parameter& parameter : direct.registry().all())
      EXPECT_TRUE(at::allclose(parameter.tensor,
                               two.student->registry().find(parameter.name)->tensor, 1e-6, 0))
          << parameter.name;
    EXPECT_EQ(plan_shares(composed).all(), plan_shares(two.plan).all());
  }
}

TEST_P(EveryKind, PlansSurviveJson) {
  Transducer teacher(teacher_config(), 7), student(student_config(), 7);
  for (const SelectionRules& rules : many_rules()) {
    SCOPED_TRACE(describe(rules));
    const Plan plan = make_plan(teacher.registry(), student.registry(), rules,
                                made_up_scores(teacher.registry(), grain_of(rules)));
    const Plan again = Plan::from_json(nlohmann::json::parse(plan.to_json().dump()), "here");
    EXPECT_EQ(plan.to_json(), again.to_json());
    EXPECT_EQ(plan.to_text(), again.to_text());
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EveryKind, ::testing::ValuesIn(every_kind), kind_name);

TEST(Plan, PublishedTakesEveryDimensionByItself) {
  Transducer teacher(enlarged(small_config("bias", "batch")), 7);
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

// Elements without influence can be left out, and the student computes what the teacher does: the
// whole chain of rules, plan, copies and rescaling, exactly.
TEST(Plan, LeavingOutElementsWithoutInfluenceKeepsTheFunction) {
  ModelConfig student = small_config("sinusoid", "batch"), config = student;
  config.conformer.heads = 3;
  config.conformer.head_width = 10;
  config.conformer.feed_forward = 40;
  config.predictor_width = 14;
  config.joiner_width = 18;
  Transducer teacher(config, 7);
  randomise(teacher, 6);
  const Plan plan = make_plan(teacher.registry(), Transducer(student, 7).registry(),
                              {.elements = ElementRule::first});
  const PlanLookup lookup(plan);
  const at::NoGradGuard no_grad;
  // In every tensor, the elements that the student leaves out along a smaller leaf.
  for (const Parameter& parameter : teacher.registry().all()) {
    Transducer small(student, 7);
    for (size_t d = 0; d < parameter.axes.size(); ++d) {
      const Indices kept =
          lookup.dimension(parameter, *small.registry().find(parameter.name), d).indices;
      at::Tensor mask = at::zeros({parameter.axes[d].size()});
      mask.index_fill_(0, at::tensor(kept), 1);
      std::vector<int64_t> shape(parameter.axes.size(), 1);
      shape[d] = -1;
      parameter.tensor.mul_(mask.view(shape));
    }
  }
  const Selection selection =
      select_student(teacher, student, {.elements = ElementRule::first}, "xavier", 1);
  expect_same_logits(logits_of_one_utterance(teacher), logits_of_one_utterance(*selection.student));
}

// Grouped convolutions: all channels of a group are taken together.
TEST(Plan, ChannelsOfAGroupStayTogether) {
  const auto grouped = [](int64_t groups) {
    Registry registry;
    const Axis channels = Axis::product(Axis::leaf("groups", groups), Axis::fixed(2));
    registry.add("weight", {channels, Axis::fixed(2), Axis::taps("taps", 3, Axis::Anchor::centre)},
                 init::weight, true);
    registry.add("bias", {channels}, init::zero, true);
    return registry;
  };
  const at::NoGradGuard no_grad;
  Registry teacher = grouped(6), student = grouped(3);
  for (const Parameter& parameter : teacher.all()) parameter.tensor.normal_();
  apply_plan(make_plan(teacher, student, named_rules("paper")), teacher, student);
  const at::Tensor kept = at::tensor(Indices{0, 1, 4, 5, 8, 9});
  for (const char* name : {"weight", "bias"})
    EXPECT_TRUE(
        at::equal(student.find(name)->tensor, teacher.find(name)->tensor.index_select(0, kept)));
}

TEST(Plan, IsRefusedByOtherModels) {
  Transducer teacher(enlarged(small_config()), 7), student(small_config(), 7);
  const Plan plan = make_plan(teacher.registry(), student.registry(), named_rules("paper"));
  ModelConfig other = small_config();
  other.conformer.feed_forward = 20;
  Transducer narrower(other, 7);
  EXPECT_THROW(apply_plan(plan, teacher.registry(), narrower.registry()), UserError);
  Transducer lstm(small_config_of_kind("lstm"), 7);
  EXPECT_THROW(apply_plan(plan, teacher.registry(), lstm.registry()), UserError);
  EXPECT_THROW(compose(plan, plan), UserError);
}

}  // namespace
}  // namespace scion
