#include "scion/calibration/calibration_audio.h"

#include <gtest/gtest.h>

#include "tests/data/small_corpus.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

TEST(CalibrationAudio, IsASampleThatDependsOnIdsAndLengthOnly) {
  const SmallCorpus corpus(12);
  const ModelConfig config = testing::small_config();
  const Dataset data({corpus.manifest()}, config.features, small_tokenizer(), "", {1.0});
  const Transducer model(config, data.tokenizer().size());
  const CalibrationAudio all = read_calibration_audio(data, model, 1000);
  EXPECT_EQ(all.utterances.size(), data.size());
  const CalibrationAudio some = read_calibration_audio(data, model, 4);
  ASSERT_GT(some.utterances.size(), 1U);
  EXPECT_LE(some.seconds, 4);
  for (size_t i = 0; i < some.utterances.size(); ++i)
    EXPECT_TRUE(at::equal(some.utterances[i].features, all.utterances[i].features));
  EXPECT_EQ(read_calibration_audio(data, model, 0).utterances.size(), 1U);
}

}  // namespace
}  // namespace scion
