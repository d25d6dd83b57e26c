#include "scion/nn/operators/forward_context.h"

#include <gtest/gtest.h>

#include "tests/model/small_models.h"

namespace scion {
namespace {

TEST(ForwardContext, RecognitionConvertsAParameterOnceAndKeepsNothingElse) {
  const at::Tensor weight = at::randn({4, 3}).set_requires_grad(true);
  const ForwardContext context = ForwardContext::for_recognition(true);
  const at::Tensor one = context.operand(weight);
  EXPECT_TRUE(at::equal(one, weight.detach().to(at::kBFloat16)));
  EXPECT_FALSE(one.requires_grad());
  EXPECT_TRUE(ForwardContext(context).operand(weight).is_same(one));
  EXPECT_FALSE(ForwardContext::for_evaluation(true).operand(weight).is_same(one));
  EXPECT_EQ(ForwardContext::for_recognition(false).operand(weight).const_data_ptr(),
            weight.const_data_ptr());
  const at::Tensor slice = weight.detach().slice(0, 0, 2);
  EXPECT_FALSE(context.operand(slice).is_same(context.operand(slice)));
}

TEST(ForwardContext, AModelEncodesTheSameInRecognitionAsInEvaluation) {
  const at::NoGradGuard no_grad;
  const std::vector<int64_t> lengths = {80, 61};
  for (const std::string kind : {"fast", "causal", "lstm"}) {
    Transducer model(testing::small_config_of_kind(kind), 7);
    testing::randomise(model, 3);
    const at::Tensor features = at::randn({2, 80, model.config().features.columns()});
    for (const bool bf16 : {false, true}) {
      const auto encode = [&](const ForwardContext& context) {
        return model.encode(features, at::tensor(lengths), context).frames;
      };
      const at::Tensor each = encode(ForwardContext::for_evaluation(bf16));
      const ForwardContext context = ForwardContext::for_recognition(bf16);
      EXPECT_TRUE(at::equal(encode(context), each)) << kind;
      EXPECT_TRUE(at::equal(encode(context), each)) << kind;
    }
  }
}

}  // namespace
}  // namespace scion
