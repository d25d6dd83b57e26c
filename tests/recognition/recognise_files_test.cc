#include "scion/recognition/recognise_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "scion/core/error.h"
#include "scion/core/threads.h"
#include "tests/core/temporary_folder.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

class RecogniseFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    const Tokenizer tokenizer = Tokenizer::train({"one two three"}, {});
    Transducer model(testing::small_config_of_kind("conformer"), tokenizer.size());
    testing::randomise(model, 41);
    {
      const at::NoGradGuard no_grad;
      model.registry().find("joiner.output.bias")->tensor[blank] += 1;
    }
    save_model(folder_ / "model.safetensors", model, tokenizer.serialised(), {});
  }
  void TearDown() override { set_thread_count(threads_); }

  fs::path noise(const std::string& name, double seconds) {
    const int64_t count = static_cast<int64_t>(seconds * 16000);
    const at::Tensor samples = at::randn({count}) * 0.1;
    const float* first = samples.const_data_ptr<float>();
    write_wav(folder_ / name, {{first, first + count}, 16000});
    return folder_ / name;
  }

  TemporaryFolder folder_;
  int threads_ = thread_count();
};

TEST_F(RecogniseFiles, GivesInOrderWhatEachFileAloneGives) {
  at::manual_seed(1);
  const Recogniser recogniser(folder_ / "model.safetensors");
  std::vector<fs::path> files;
  for (int i = 0; i < 9; ++i) files.push_back(noise(fmt::format("{}.wav", i), 0.2 + 0.3 * (i % 4)));
  files.insert(files.begin() + 5, noise("long.wav", 301));
  files.insert(files.begin() + 2, folder_ / "missing.wav");
  std::map<size_t, Recognition> alone;
  for (size_t i = 0; i < files.size(); ++i)
    if (i != 2) alone.emplace(i, recogniser.recognise_file(files[i]));
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    std::vector<size_t> taken;
    recognise_files(recogniser, files, {}, [&](size_t i, const FileOutcome& outcome) {
      taken.push_back(i);
      EXPECT_EQ(outcome.error != nullptr, i == 2) << i;
      if (outcome.error) {
        EXPECT_THROW(std::rethrow_exception(outcome.error), UserError);
        return;
      }
      const Recognition& expected = alone.at(i);
      EXPECT_EQ(outcome.recognition.text, expected.text) << i;
      EXPECT_NEAR(outcome.recognition.log_probability, expected.log_probability,
                  1e-5 * std::abs(expected.log_probability) + 1e-3)
          << i;
      EXPECT_EQ(outcome.recognition.audio_seconds, expected.audio_seconds) << i;
    });
    EXPECT_THAT(taken, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    EXPECT_EQ(thread_count(), threads);
  }
}

TEST_F(RecogniseFiles, APartOfEach) {
  const Recogniser recogniser(folder_ / "model.safetensors");
  const std::vector<fs::path> files = {noise("a.wav", 1), noise("b.wav", 2)};
  set_thread_count(2);
  size_t taken = 0;
  recognise_files(recogniser, files, {.begin_seconds = 0.25, .seconds = 0.5},
                  [&](size_t, const FileOutcome& outcome) {
                    ++taken;
                    EXPECT_DOUBLE_EQ(outcome.recognition.audio_seconds, 0.5);
                  });
  EXPECT_EQ(taken, 2U);
}

}  // namespace
}  // namespace scion
