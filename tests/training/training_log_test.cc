#include "scion/training/training_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scion/core/files/json_lines.h"
#include "tests/core/event_reader.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

UpdateRecord record(int64_t update) {
  UpdateRecord record;
  record.update = update;
  record.losses.total = 2.5;
  record.rates.lr = 0.25;
  record.speed = 100;
  return record;
}

TEST(TrainingLog, AnUpdateIsALineAndPoints) {
  const TemporaryFolder folder;
  TrainingLog(RunConfig(), RunFiles(folder.path()), 0).add(record(1));
  const nlohmann::json line = read_json_lines(RunFiles(folder.path()).updates()).at(0);
  EXPECT_EQ(line.at("update"), 1);
  EXPECT_EQ(line.at("loss"), 2.5);
  EXPECT_EQ(line.at("lr"), 0.25);
  EXPECT_FALSE(line.contains("speed"));
  const std::vector<std::string> points = read_points(folder.path());
  for (const char* tag : {"train/loss", "train/learning_rate", "train/speed"})
    EXPECT_THAT(points, Contains(HasSubstr(tag)));
}

TEST(TrainingLog, IsCutBackToTheUpdateItContinuesFrom) {
  const TemporaryFolder folder;
  RunConfig config;
  config.train.measure_every = 1;
  const RunFiles files(folder.path());
  {
    TrainingLog log(config, files, 0);
    for (int64_t update = 1; update <= 4; ++update) {
      log.add(record(update));
      log.add_measures(update, 0.5, {{"all", {{"norm", 1.0}}}});
    }
  }
  const size_t points = read_points(folder.path()).size();
  TrainingLog log(config, files, 2);
  EXPECT_EQ(read_json_lines(files.updates()).size(), 2U);
  EXPECT_EQ(read_json_lines(files.measures()).size(), 2U);
  log.add(record(3));
  log.add(record(4));
  EXPECT_EQ(last_json_line(files.updates()).at("update"), 4);
  EXPECT_EQ(read_points(folder.path()).size(), points);
}

}  // namespace
}  // namespace scion
