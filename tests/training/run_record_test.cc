#include "scion/training/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/training/run/run_folder.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

using scion::testing::tiny_run;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A run that was stopped half way through its epochs, as it lies on the disk.
void write_half_run(const TemporaryFolder& folder) {
  RunConfig config = tiny_run(folder.path(), 4);
  config.data.evaluation.push_back({"other", "missing.jsonl"});
  config.train.epochs = 4;
  write_file(RunFiles(folder.path()).config(), config.to_toml());
  std::string updates;
  for (int i = 1; i <= 40; ++i)
    updates += nlohmann::json({{"update", i},
                               {"epoch", i / 20.0},
                               {"loss", i <= 20 ? 8.0 : 4.0},
                               {"seconds", i * 0.5}})
                   .dump() +
               "\n";
  write_file(RunFiles(folder.path()).updates(), updates + R"({"update": 41, "epo)");
  write_file(RunFiles(folder.path()).results(),
             R"({"set":"train","epoch":1,"wer":50.0}
{"set":"other","epoch":1,"wer":70.0}
{"set":"train","epoch":2,"wer":60.0}
{"set":"other","epoch":2,"wer":65.5}
)");
  write_file(RunFiles(folder.path()).skipped(), "{\"id\":\"a\"}\n");
}

TEST(RunRecord, OfARunThatWasStopped) {
  const TemporaryFolder folder;
  write_half_run(folder);
  const RunRecord record = read_run_record(folder.path());
  EXPECT_FALSE(record.finished);
  EXPECT_EQ(record.updates, 40);
  EXPECT_EQ(record.epochs, 2);
  EXPECT_EQ(record.first_loss, 8);
  EXPECT_EQ(record.loss, 4);
  EXPECT_EQ(record.skipped, 1);
  EXPECT_EQ(record.training.at(0).utterances, 4);
  EXPECT_FALSE(record.evaluation.at(1).utterances.has_value());
  EXPECT_DOUBLE_EQ(record.seconds_left().value(), 20);
  EXPECT_DOUBLE_EQ(record.speed, record.training.at(0).hours * 3600 * 2 / 20);
  ASSERT_EQ(record.sets.size(), 2U);
  EXPECT_EQ(record.sets[0].best_epoch, 1);
  EXPECT_EQ(record.sets[0].best_wer, 50);
  EXPECT_EQ(record.sets[0].last_wer, 60);
  EXPECT_EQ(record.sets[1].best_epoch, 2);
  EXPECT_THAT(to_text(record),
              AllOf(HasSubstr("not finished: epoch 2.00 of 4, 40 updates in 0:20"),
                    HasSubstr("0:20 of training left"), HasSubstr("4.000 (at first 8.000)"),
                    HasSubstr("train 60.00 % after epoch 2, best 50.00 % after epoch 1"),
                    HasSubstr("cannot be read any more")));
  const nlohmann::json json = to_json(record);
  EXPECT_EQ(json.at("kind"), "run");
  EXPECT_EQ(json.at("sets").at("other").at("best_wer"), 65.5);
  EXPECT_EQ(json.at("parameters"), nullptr);
}

TEST(RunRecord, CountsWhatTheLimitsOnLengthLeaveOut) {
  const TemporaryFolder folder;
  write_half_run(folder);
  RunConfig config = read_run_config(RunFiles(folder.path()).config());
  config.loader.longest_seconds = 0.1;
  write_file(RunFiles(folder.path()).config(), config.to_toml());
  // A set whose references have no words has no rate.
  write_file(RunFiles(folder.path()).results(), R"({"set":"noise","epoch":1,"wer":null})");
  const RunRecord record = read_run_record(folder.path());
  EXPECT_EQ(record.left_out.utterances, 4U);
  EXPECT_DOUBLE_EQ(record.left_out.hours, record.training.at(0).hours);
  EXPECT_THAT(to_text(record), HasSubstr("4 of 4 utterances"));
  EXPECT_EQ(to_json(record).at("left_out").at("utterances"), 4);
  EXPECT_TRUE(std::isinf(record.sets.at(0).last_wer));
}

TEST(RunRecord, AnotherFolderIsRefused) {
  const TemporaryFolder folder;
  EXPECT_FALSE(is_run(folder.path()));
  EXPECT_THAT(error_of<UserError>([&] { read_run_record(folder.path()); }),
              HasSubstr("scion train"));
}

}  // namespace
}  // namespace scion
