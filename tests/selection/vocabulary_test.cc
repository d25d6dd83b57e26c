#include "scion/selection/vocabulary.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/nn/initialise.h"
#include "tests/core/error_of.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;

Tokenizer characters_of(const std::string& text) {
  return Tokenizer::train({text}, {.kind = PieceKind::character});
}

TEST(MatchPieces, ByTheirText) {
  const Tokenizer teacher = characters_of("one two three four"),
                  student = characters_of("two nine");
  const Indices pieces = match_pieces(teacher, student);
  ASSERT_EQ(static_cast<int64_t>(pieces.size()), student.size());
  EXPECT_EQ(pieces[0], blank);
  EXPECT_EQ(pieces[1], 1);  // unknown
  int64_t missing = 0;
  for (size_t id = 1; id < pieces.size(); ++id) {
    const std::string piece = student.piece(static_cast<int64_t>(id));
    if (pieces[id] >= 0)
      EXPECT_EQ(teacher.piece(pieces[id]), piece);
    else
      ++missing;
    EXPECT_EQ(pieces[id] < 0, piece == "i");
  }
  EXPECT_EQ(missing, 1);
}

TEST(Vocabulary, RowsOfSharedPiecesAreTakenAndOthersStayRandom) {
  const Indices pieces = {0, 1, 4, -1, 2};
  for (const Kind& kind : every_kind) {
    const ModelConfig config = kind.first == "kind" ? small_config_of_kind(kind.second)
                                                    : small_config(kind.first, kind.second);
    Transducer teacher(config, 7);
    randomise(teacher, 1);
    for (const char* rules : {"best", "published"}) {
      const Selection selection =
          select_student(teacher, config, named_rules(rules), "xavier", 3, {}, pieces);
      ASSERT_EQ(selection.student->vocabulary(), 5);
      Transducer fresh(config, 5);
      initialise(fresh.registry(), "xavier", 3);
      int64_t left = 0;
      for (const Parameter& parameter : selection.student->registry().all()) {
        if (parameter.axes[0].form() != Axis::Form::labels) continue;
        const at::Tensor of_teacher = teacher.registry().find(parameter.name)->tensor;
        for (size_t row = 0; row < pieces.size(); ++row) {
          const auto r = static_cast<int64_t>(row);
          EXPECT_TRUE(at::equal(parameter.tensor[r],
                                pieces[row] < 0 ? fresh.registry().find(parameter.name)->tensor[r]
                                                : of_teacher[pieces[row]]))
              << parameter.name;
        }
        left += parameter.tensor[0].numel();
      }
      for (const TensorChoice& tensor : selection.plan.tensors)
        if (tensor.action != TensorChoice::Action::random) left -= tensor.left;
      EXPECT_EQ(left, 0);
      EXPECT_NE(selection.plan.to_text().find("1 of 5 pieces, which the teacher lacks"),
                std::string::npos);
    }
  }
}

TEST(Vocabulary, MatchesCompose) {
  Transducer teacher(enlarged(small_config()), 7);
  randomise(teacher, 2);
  const Selection one = select_student(teacher, middle_of(small_config()), named_rules("best"),
                                       "xavier", 1, {}, {0, 1, -1, 6, 3, 2});
  const Selection two = select_student(*one.student, small_config(), named_rules("best"), "xavier",
                                       1, {}, {0, 1, 4, 2, -1});
  const Plan plan = compose(one.plan, two.plan);
  EXPECT_EQ(plan.find_leaf("vocabulary")->indices, (Indices{0, 1, 3, -1, -1}));
  const auto row = [](const Transducer& model, int64_t r) {
    return model.registry().find("joiner.output.weight")->tensor[r];
  };
  Transducer direct(small_config(), 5);
  apply_plan(plan, teacher.registry(), direct.registry());
  for (const int64_t r : {0, 1, 2}) EXPECT_TRUE(at::equal(row(direct, r), row(*two.student, r)));
  const PlanLookup lookup(plan);
  EXPECT_EQ(lookup.tensor("joiner.output.weight")->left, 2 * 12);
}

TEST(Vocabulary, OfAnotherSizeNeedsATokenizer) {
  Transducer teacher(small_config(), 7), student(small_config(), 6);
  EXPECT_NE(error_of<UserError>([&] {
              make_plan(teacher.registry(), student.registry(), named_rules("best"));
            }).find("7 pieces, the student's 6"),
            std::string::npos);
}

}  // namespace
}  // namespace scion
