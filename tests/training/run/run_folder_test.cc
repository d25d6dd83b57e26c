#include "scion/training/run/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/training/config/changed_options.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RunConfig config_with_seed(int64_t seed) {
  RunConfig config;
  config.train.seed = seed;
  return config;
}

TEST(RunFolder, ARunThatHasBegunKeepsItsConfiguration) {
  const TemporaryFolder folder;
  const RunFiles files(folder / "run");
  { const RunFolder first(config_with_seed(1), folder / "run"); }
  EXPECT_FALSE(files.has_run());
  // Without an update there is nothing to continue, and the folder is free for another run.
  { const RunFolder second(config_with_seed(2), folder / "run"); }
  EXPECT_EQ(read_written_config(files.config()).train.seed, 2);
  write_file(files.updates(), "{}\n");
  EXPECT_TRUE(files.has_run());
  { const RunFolder same(config_with_seed(2), folder / "run"); }
  EXPECT_THAT(error_of<UserError>([&] { RunFolder(config_with_seed(1), folder / "run"); }),
              HasSubstr("other options: train.seed is 1, was 2"));
}

TEST(RunFolder, IsLocked) {
  const TemporaryFolder folder;
  const RunFolder first(config_with_seed(1), folder / "run");
  EXPECT_THAT(error_of<UserError>([&] { RunFolder(config_with_seed(1), folder / "run"); }),
              HasSubstr("in use"));
}

TEST(RunFolder, FinishingLeavesTheModelAndNothingForContinuing) {
  const TemporaryFolder folder;
  RunFolder run(config_with_seed(1), folder / "run");
  fs::create_directories(run.files().checkpoints());
  write_file(run.files().epoch_weights(3), "");
  const Transducer model(testing::small_config(), 7);
  EXPECT_FALSE(is_finished_run(folder / "run", config_with_seed(1)));
  run.finish(model, Tokenizer::train({"abcde"}, {.kind = PieceKind::character}).serialised(), {},
             {});
  EXPECT_TRUE(is_finished_run(folder / "run", config_with_seed(1)));
  EXPECT_THAT(error_of<UserError>([&] { is_finished_run(folder / "run", config_with_seed(2)); }),
              HasSubstr("finished run with other options: train.seed is 2, was 1"));
  EXPECT_FALSE(fs::exists(run.files().checkpoints()));
  EXPECT_FALSE(fs::exists(run.files().epochs()));
  EXPECT_THAT(run.files().present(), ElementsAre("model.safetensors", "config.toml"));
}

}  // namespace
}  // namespace scion
