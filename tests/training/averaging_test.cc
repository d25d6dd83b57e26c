#include "scion/training/averaging.h"

#include <gtest/gtest.h>

#include "tests/core/temporary_folder.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

void fill(Transducer& model, double value) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : model.registry().all()) parameter.tensor.fill_(value);
}

TEST(EpochAverage, IsTheMeanOfTheLastEpochs) {
  const TemporaryFolder folder;
  const Tokenizer tokenizer = Tokenizer::train({"abcde"}, {.kind = PieceKind::character});
  Transducer model(testing::small_config(), tokenizer.size());
  const EpochAverage average(RunFiles(folder.path()), 4, 2);
  for (int64_t epoch = 1; epoch <= 4; ++epoch) {
    fill(model, static_cast<double>(epoch * epoch));
    average.keep(epoch, model, tokenizer);
  }
  EXPECT_FALSE(std::filesystem::exists(RunFiles(folder.path()).epoch_weights(2)));
  average.apply_to(model);
  EXPECT_TRUE(model.joiner().output().weight.eq((9.0 + 16.0) / 2).all().item<bool>());
}

TEST(EpochAverage, OfOneEpochKeepsNothing) {
  const TemporaryFolder folder;
  EXPECT_FALSE(EpochAverage(RunFiles(folder.path()), 5, 1).averages());
  EXPECT_FALSE(EpochAverage(RunFiles(folder.path()), 1, 3).averages());
}

}  // namespace
}  // namespace scion
