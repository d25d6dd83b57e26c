#include "scion/training/config/run_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

RunConfig loaded(const Json& table) {
  RunConfig config;
  load_run_config(config, table, "test.toml", "/somewhere");
  return config;
}

TEST(RunConfig, PathsAreTakenFromTheFilesFolder) {
  const RunConfig config = loaded({{"data",
                                    {{"train", {"a.jsonl", "/b.jsonl"}},
                                     {"evaluation", {"dev=../dev.jsonl"}},
                                     {"tokenizer", "pieces.model"}}},
                                   {"augment", {{"noise", "sounds"}, {"responses", "rooms"}}}});
  EXPECT_EQ(config.data.train, (std::vector<std::string>{"/somewhere/a.jsonl", "/b.jsonl"}));
  EXPECT_EQ(config.data.evaluation,
            (std::vector<NamedManifest>{{.name = "dev", .path = "/dev.jsonl"}}));
  EXPECT_EQ(config.data.tokenizer, "/somewhere/pieces.model");
  EXPECT_EQ(config.augment.noise, "/somewhere/sounds");
  EXPECT_EQ(config.augment.responses, "/somewhere/rooms");
  EXPECT_EQ(loaded(Json::object()).augment.noise, "");
}

TEST(RunConfig, ARelativePathIsTakenFromTheFolder) {
  RunConfig config = loaded({{"data", {{"train", {"/a.jsonl"}}}}});
  config.train.init = "start.safetensors";
  resolve_paths(config, "/here");
  EXPECT_EQ(config.train.init, "/here/start.safetensors");
  config.train.init = "xavier";
  resolve_paths(config, "/here");
  EXPECT_EQ(config.train.init, "xavier");
}

TEST(RunConfig, APresetWithoutACtcHeadNeedsNoWeightForIt) {
  Json table = {{"data", {{"train", {"a.jsonl"}}}}, {"model", {{"preset", "conformer-9m"}}}};
  const RunConfig config = loaded(table);
  EXPECT_FALSE(config.model.ctc);
  EXPECT_EQ(config.train.loss.ctc_weight, 0);
  EXPECT_NO_THROW(config.validate());
  table["model"]["ctc"] = true;
  EXPECT_EQ(loaded(table).train.loss.ctc_weight, LossConfig().ctc_weight);
  table["model"]["ctc"] = false;
  table["train"]["loss"]["ctc_weight"] = 0.2;
  EXPECT_THAT(error_of<UserError>([&] { loaded(table).validate(); }),
              HasSubstr("train.loss.ctc_weight is 0.2 and model.ctc is false"));
}

TEST(RunConfig, WhatDoesNotFitTogetherIsRefused) {
  RunConfig config = loaded({{"data", {{"train", {"a.jsonl"}}}}});
  EXPECT_NO_THROW(config.validate());
  config.augment.volume_low_db = 7;
  EXPECT_THAT(error_of<UserError>([&] { config.validate(); }), HasSubstr("augment.volume_db"));
  config = loaded(Json::object());
  EXPECT_THAT(error_of<UserError>([&] { config.validate(); }), HasSubstr("data.train"));
}

TEST(RunConfig, DistillationNeedsSomethingToLearn) {
  Json table = {{"data", {{"train", {"a.jsonl"}}}},
                {"train", {{"distill", {{"teacher", "big.safetensors"}}}}}};
  RunConfig config = loaded(table);
  EXPECT_EQ(config.train.distill.teacher, "/somewhere/big.safetensors");
  EXPECT_NO_THROW(config.validate());
  config.train.distill.weight = config.train.distill.ctc_weight = 0;
  EXPECT_THAT(error_of<UserError>([&] { config.validate(); }), HasSubstr("both weights are 0"));

  table["model"]["ctc"] = false;
  config = loaded(table);
  EXPECT_EQ(config.train.distill.ctc_weight, 0);
  EXPECT_NO_THROW(config.validate());
  table["train"]["distill"]["ctc_weight"] = 0.5;
  EXPECT_THAT(error_of<UserError>([&] { loaded(table).validate(); }),
              HasSubstr("train.distill.ctc_weight is 0.5 and model.ctc is false"));

  config.model.simple_joiner = true;
  config.train.loss.kind = LossKind::pruned;
  EXPECT_THAT(error_of<UserError>([&] { config.validate(); }),
              HasSubstr("train.loss.kind is pruned"));
  config.train.distill.teacher.clear();
  config.train.loss.fast_emit = 0.1;
  EXPECT_NO_THROW(config.validate());
}

TEST(RunConfig, ATdtTakesTheExactLossOnTheCpu) {
  RunConfig config = loaded({{"data", {{"train", {"train.jsonl"}}}},
                             {"model", {{"durations", {0, 1, 2}}, {"simple_joiner", true}}}});
  EXPECT_EQ(config.model.durations, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_NO_THROW(config.validate());
  const auto error = [&] { return error_of<UserError>([&] { config.validate(); }); };
  config.train.loss.kind = LossKind::pruned;
  EXPECT_THAT(error(), HasSubstr("train.loss.kind is pruned and model.durations"));
  config.train.loss.kind = LossKind::exact;
  config.train.device = "cuda";
  EXPECT_THAT(error(), HasSubstr("train.device is cuda and model.durations"));
  config.train.device = "cpu";
  for (const std::vector<int64_t>& durations :
       {std::vector<int64_t>{0}, {1, 1}, {0, 1, -1}, {0, 1, 20000}}) {
    config.model.durations = durations;
    EXPECT_THAT(error(), HasSubstr("model.durations: ")) << durations.back();
  }
}

TEST(RunConfig, ALengthNeedsAUnit) {
  EXPECT_THAT(error_of<UserError>([] {
                loaded({{"train", {{"warmup", "7"}}}});
              }),
              HasSubstr("train.warmup must be a length such as"));
  EXPECT_EQ(loaded({{"train", {{"distill", {{"until", ""}}}}}}).train.distill.until, std::nullopt);
}

TEST(RunConfig, AnEvaluationSetNeedsAName) {
  EXPECT_THAT(error_of<UserError>([] {
                loaded({{"data", {{"evaluation", {"dev.jsonl"}}}}});
              }),
              HasSubstr("data.evaluation must be a list, each a manifest with its name"));
}

TEST(RunConfig, FormerNamesAreUnderstood) {
  const RunConfig config = loaded({{"train",
                                    {{"loss", "pruned"},
                                     {"loss_workspace", 8},
                                     {"beta2", 0.9},
                                     {"distill", "big.safetensors"},
                                     {"distill_until", "4e"},
                                     {"checkpoint_every", "10u"},
                                     {"copied_lr_scale", 0.5}}}});
  EXPECT_EQ(config.train.loss.kind, LossKind::pruned);
  EXPECT_EQ(config.train.loss.workspace, 8);
  EXPECT_EQ(config.train.optimiser.beta2, 0.9);
  EXPECT_EQ(config.train.distill.teacher, "/somewhere/big.safetensors");
  EXPECT_EQ(config.train.distill.until->text(), "4e");
  EXPECT_EQ(config.train.checkpoint.every.text(), "10u");
  EXPECT_EQ(config.train.copied.lr_scale, 0.5);
}

}  // namespace
}  // namespace scion
