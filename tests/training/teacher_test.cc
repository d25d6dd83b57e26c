#include "scion/training/teacher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/model/model_file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::small_config;
using scion::testing::small_config_of_kind;
using ::testing::HasSubstr;

class TeacherTest : public ::testing::Test {
 protected:
  TeacherTest() { config_.teacher = folder_ / "teacher.safetensors"; }

  /// The error of such a teacher for a student of small_config().
  std::string complaint(const ModelConfig& teacher, const std::string& letters = "abc") {
    const Tokenizer taught = Tokenizer::train({letters}, {.kind = PieceKind::character});
    save_model(config_.teacher, Transducer(teacher, taught.size()), taught.serialised(), {});
    const Tokenizer own = Tokenizer::train({"abc"}, {.kind = PieceKind::character});
    const Transducer student(small_config("bias", "batch", 6), own.size());
    return error_of<UserError>([&] { Teacher(config_, Precision::automatic, student, own); });
  }

  TemporaryFolder folder_;
  DistillConfig config_;
};

TEST_F(TeacherTest, MayHaveAnotherEncoderWithTheSameInputsAndPieces) {
  EXPECT_EQ(complaint(small_config("sinusoid", "layer", 6)), "");
  EXPECT_EQ(complaint(small_config_of_kind("lstm")), "");
}

TEST_F(TeacherTest, ErrorsSayWhatDiffers) {
  ModelConfig teacher = small_config("bias", "batch", 4);
  EXPECT_THAT(complaint(teacher), HasSubstr("the teacher's encoder makes"));
  teacher = small_config("bias", "batch", 6);
  EXPECT_THAT(complaint(teacher, "abcd"), HasSubstr("the teacher has 6 pieces, the student 5"));
  EXPECT_THAT(complaint(teacher, "abd"), HasSubstr("is 'd' in the teacher and 'c' in the student"));
  teacher.features.bins = 24;
  EXPECT_THAT(complaint(teacher), HasSubstr("model.features.bins: the teacher's is 24"));
  teacher = small_config("bias", "batch", 6);
  teacher.ctc = false;
  EXPECT_THAT(complaint(teacher), HasSubstr("has no CTC head | set train.distill.ctc_weight = 0"));
  config_.ctc_weight = 0;
  EXPECT_EQ(complaint(teacher), "");
}

}  // namespace
}  // namespace scion
