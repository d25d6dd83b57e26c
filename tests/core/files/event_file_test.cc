#include "scion/core/files/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/files/file.h"
#include "tests/core/event_reader.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::ElementsAre;

// RFC 3720, B.4, masked by hand.
TEST(EventFile, ChecksumsAreThePublishedOnes) {
  const auto masked = [](uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8U; };
  EXPECT_EQ(masked_crc32c(std::string(32, '\0')), masked(0x8A9136AAU));
  EXPECT_EQ(masked_crc32c(std::string(32, '\xFF')), masked(0x62A8AB43U));
  EXPECT_EQ(masked_crc32c("123456789"), masked(0xE3069283U));
}

TEST(EventFile, PointsAreReadBack) {
  const TemporaryFolder folder;
  EventFile file(folder.path(), 0);
  file.add_text(0, "configuration", std::string(300, 'x'));
  file.add_scalars(1, {{"train/loss", 2.5}, {"wer/clean", 100}});
  file.add_scalars(200, {{"train/loss", -0.25}});
  ASSERT_EQ(folder.names().size(), 1U);
  EXPECT_TRUE(folder.names().front().starts_with("events.out.tfevents."));
  EXPECT_THAT(read_points(folder.path()),
              ElementsAre("1 train/loss 2.5", "1 wer/clean 100", "200 train/loss -0.25"));
}

TEST(EventFile, AResumedRunDoublesNoPoint) {
  const TemporaryFolder folder;
  {
    EventFile file(folder.path(), 0);
    for (int64_t step = 1; step <= 5; ++step) file.add_scalars(step, {{"loss", 1.0}});
  }
  // A crash cut the last record short.
  const std::string name = folder.names().front();
  std::string bytes = read_file(folder / name);
  bytes.resize(bytes.size() - 3);
  write_file(folder / name, bytes);
  {
    EventFile file(folder.path(), 2);
    file.add_scalars(3, {{"loss", 2.0}});
  }
  EXPECT_EQ(folder.names().size(), 2U);
  EXPECT_THAT(read_points(folder.path()), ElementsAre("1 loss 1", "2 loss 1", "3 loss 2"));
  // Without a checkpoint everything is written again.
  const EventFile file(folder.path(), 0);
  EXPECT_EQ(folder.names().size(), 1U);
  EXPECT_TRUE(read_points(folder.path()).empty());
}

TEST(EventFile, RecordsEndAtTheFirstBrokenOne) {
  const TemporaryFolder folder;
  {
    EventFile file(folder.path(), 0);
    file.add_scalars(1, {{"loss", 1.0}});
    file.add_scalars(2, {{"loss", 1.0}});
  }
  std::string bytes = read_file(folder / folder.names().front());
  EXPECT_EQ(split_records(bytes).size(), 3U);
  bytes[bytes.size() - 6] ^= 1;
  EXPECT_EQ(split_records(bytes).size(), 2U);
  EXPECT_TRUE(split_records("nonsense that is no record").empty());
}

}  // namespace
}  // namespace scion
