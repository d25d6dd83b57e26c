#include "scion/training/config/changed_options.h"

#include <gmock/gmock.h>

#include "scion/core/files/file.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RunConfig some_run() {
  RunConfig config;
  config.data.train = {"/data/train.jsonl"};
  config.data.tokenizer = "/data/tokenizer.model";
  return config;
}

// The options that a change makes another run of: "key is NOW, was BEFORE".
std::vector<std::string> learnt(const RunConfig& before, const RunConfig& now) {
  std::vector<std::string> texts;
  for (const OptionChange& change : changed_options(before, now))
    if (change.learnt) texts.push_back(change.text());
  return texts;
}

TEST(ChangedOptions, EachIsNamedWithBothValues) {
  RunConfig now = some_run();
  now.train.peak_lr = 2e-3;
  now.loader.batch_seconds = 20;
  now.train.loss.kind = LossKind::pruned;
  EXPECT_THAT(learnt(some_run(), now), ElementsAre("loader.batch_seconds is 20.0, was 30.0",
                                                   "train.peak_lr is 0.002, was 0.004",
                                                   "train.loss.kind is \"pruned\", was \"exact\""));
}

TEST(ChangedOptions, HowTheWorkIsDoneIsNotLearnt) {
  RunConfig now = some_run();
  now.train.threads = 2;
  now.train.device = "cuda";
  now.loader.threads = 3;
  now.loader.prefetch = 9;
  now.data.cache = "/cache";
  now.data.evaluation = {{"dev", "/data/dev.jsonl"}};
  now.train.evaluate_epochs = {5};
  now.train.checkpoint = {Span::updates(7), 4};
  now.train.loss.workspace = 8;
  EXPECT_THAT(learnt(some_run(), now), IsEmpty());
  EXPECT_EQ(changed_options(some_run(), now).size(), 10U);
}

TEST(ChangedOptions, AFolderMayMove) {
  RunConfig before = some_run(), now = before;
  before.train.init = "/data/start.safetensors";
  now.data.train = {"/elsewhere/train.jsonl"};
  now.data.tokenizer = "/elsewhere/tokenizer.model";
  now.train.init = "/elsewhere/start.safetensors";
  EXPECT_THAT(changed_options(before, now), IsEmpty());
  now.train.init = "xavier";
  now.train.distill.teacher = "/data/teacher.safetensors";
  EXPECT_THAT(learnt(before, now),
              ElementsAre("train.init is \"xavier\", was \"/data/start.safetensors\"",
                          "train.distill.teacher is \"/data/teacher.safetensors\", was \"\""));
}

TEST(ChangedOptions, MoreEpochsAreTheSameRunWhereNoRateDependsOnTheirNumber) {
  RunConfig before = some_run(), now = before;
  now.train.epochs = 30;
  EXPECT_THAT(learnt(before, now), ElementsAre("train.epochs is 30, was 20"));  // cosine
  for (const Schedule schedule : {Schedule::constant, Schedule::noam}) {
    before.train.schedule = now.train.schedule = schedule;
    EXPECT_THAT(learnt(before, now), IsEmpty());
    EXPECT_THAT(learnt(now, before), ElementsAre("train.epochs is 20, was 30"));
  }
  before.train.copied.anchor_decay = now.train.copied.anchor_decay = 1;
  EXPECT_EQ(learnt(before, now).size(), 1U);
}

TEST(ChangedOptions, ARelativePathOfTheFileIsTakenFromTheWorkingFolder) {
  const TemporaryFolder folder;
  RunConfig config = some_run();
  config.train.init = "start.safetensors";
  write_file(folder / "config.toml", config.to_toml());
  EXPECT_EQ(read_written_config(folder / "config.toml").train.init,
            std::filesystem::current_path() / "start.safetensors");
}

}  // namespace
}  // namespace scion
