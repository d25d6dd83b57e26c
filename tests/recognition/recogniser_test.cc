#include "scion/recognition/recogniser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/core/temporary_folder.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

class RecogniserTest : public ::testing::Test {
 protected:
  // A file with a model of that kind that emits labels.
  std::filesystem::path save(const std::string& kind) {
    const Tokenizer tokenizer = Tokenizer::train({"one two three"}, {});
    Transducer model(testing::small_config_of_kind(kind), tokenizer.size());
    testing::randomise(model, 41);
    {
      const at::NoGradGuard no_grad;
      model.registry().find("joiner.output.bias")->tensor[blank] -= 2;
    }
    const std::filesystem::path path = folder_ / "model.safetensors";
    save_model(path, model, tokenizer.serialised(), {});
    return path;
  }

  static Audio noise(int64_t sample_rate, int64_t count) {
    at::manual_seed(3);
    const at::Tensor samples = at::randn({count}) * 0.1;
    const float* first = samples.const_data_ptr<float>();
    return {{first, first + count}, sample_rate};
  }

  testing::TemporaryFolder folder_;
};

TEST_F(RecogniserTest, AStreamGivesTheTextAndTimesOfTheWhole) {
  const Recogniser recogniser(save("causal"));
  const Audio audio = noise(recogniser.sample_rate(), 24000);
  const Recognition whole = recogniser.recognise(audio);
  ASSERT_FALSE(whole.words.empty());
  StreamingRecogniser stream = recogniser.stream();
  for (size_t i = 0; i < audio.samples.size(); i += 1000) stream.accept(&audio.samples[i], 1000);
  stream.finish();
  const Recognition streamed = stream.recognition();
  EXPECT_EQ(streamed.text, whole.text);
  EXPECT_EQ(streamed.audio_seconds, 1.5);
  EXPECT_EQ(whole.audio_seconds, 1.5);
  EXPECT_NEAR(streamed.log_probability, whole.log_probability, 1e-3);
  ASSERT_EQ(streamed.words.size(), whole.words.size());
  for (size_t i = 0; i < whole.words.size(); ++i) {
    EXPECT_EQ(streamed.words[i].word, whole.words[i].word);
    EXPECT_EQ(streamed.words[i].start, whole.words[i].start);
    EXPECT_GT(streamed.words[i].end(), streamed.words[i].start);
  }
}

TEST_F(RecogniserTest, AFileIsRecognisedAsItsSamples) {
  const Recogniser recogniser(save("causal"));
  write_wav(folder_ / "noise.wav", noise(recogniser.sample_rate(), 16000));
  const Audio read = read_audio(folder_ / "noise.wav", recogniser.sample_rate());
  EXPECT_EQ(recogniser.recognise_file(folder_ / "noise.wav").text, recogniser.recognise(read).text);
  const Recognition half = recogniser.recognise_file(folder_ / "noise.wav", {.seconds = 0.5});
  EXPECT_EQ(half.audio_seconds, 0.5);
}

TEST_F(RecogniserTest, OtherRatesAreResampled) {
  const Recogniser recogniser(save("causal"));
  const Audio audio = noise(8000, 8000);
  const Audio resampled{resample(audio.samples, 8000, double(recogniser.sample_rate())),
                        recogniser.sample_rate()};
  EXPECT_EQ(recogniser.recognise(audio).text, recogniser.recognise(resampled).text);
  EXPECT_EQ(recogniser.recognise(audio).audio_seconds, 1);
  EXPECT_THROW(recogniser.recognise({audio.samples, 0}), UserError);
}

TEST_F(RecogniserTest, AudioTooShortForAFrameHasNoWords) {
  const Recogniser recogniser(save("causal"));
  for (const int64_t count : {0, 1, 200, 600}) {
    const Recognition result = recogniser.recognise(noise(recogniser.sample_rate(), count));
    EXPECT_EQ(result.text, "") << count;
    EXPECT_TRUE(result.words.empty());
  }
}

TEST_F(RecogniserTest, AModelThatNeedsTheWholeUtteranceDoesNotStream) {
  const Recogniser recogniser(save("fast"));
  EXPECT_FALSE(recogniser.recognise(noise(recogniser.sample_rate(), 16000)).text.empty());
  EXPECT_THROW(recogniser.stream(), UserError);
}

TEST_F(RecogniserTest, AMissingModelIsAUserError) {
  try {
    const Recogniser recogniser(folder_ / "none.safetensors");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("none.safetensors"));
  }
}

}  // namespace
}  // namespace scion
