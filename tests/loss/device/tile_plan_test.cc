#include "scion/loss/device/tile_plan.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

TEST(TilePlan, KeepsAllWhereAllFits) {
  const TilePlan plan = plan_tiles(1000, 100, 10, 110000, true);
  EXPECT_EQ(plan.tiles(), 1);
  EXPECT_EQ(plan.slots, 1);
  EXPECT_TRUE(plan.stays(0));
}

TEST(TilePlan, StaysWithinTheWorkspaceAndCoversEveryNodeOnce) {
  for (const int64_t nodes : {1, 255, 256, 257, 5000, 123456})
    for (const int64_t workspace : {1000, 200000, 1000000, 30000000})
      for (const bool keep : {false, true}) {
        const TilePlan plan = plan_tiles(nodes, 300, 50, workspace, keep);
        int64_t next = 0;
        for (int64_t tile = 0; tile < plan.tiles(); ++tile) {
          EXPECT_EQ(plan.first(tile), next);
          EXPECT_GT(plan.count(tile), 0);
          next += plan.count(tile);
        }
        EXPECT_EQ(next, nodes);
        EXPECT_LE(plan.slots, plan.tiles());
        EXPECT_EQ(plan.rows, plan_tiles(nodes, 300, 50, workspace, !keep).rows);
        if (plan.rows > 256) {
          EXPECT_LE(plan.rows * (plan.slots * 300 + 50), workspace);
        }
      }
}

TEST(TilePlan, ASlotHoldsTheTilesThatStay) {
  const TilePlan plan = plan_tiles(10000, 100, 20, 420000, true);
  EXPECT_EQ(plan.slots, 4);
  EXPECT_EQ(plan.tiles(), 10);
  std::vector<int64_t> last(4, -1);
  for (int64_t tile = 0; tile < plan.tiles(); ++tile) last[size_t(plan.slot(tile))] = tile;
  for (int64_t tile = 0; tile < plan.tiles(); ++tile)
    EXPECT_EQ(plan.stays(tile), last[size_t(plan.slot(tile))] == tile) << tile;
}

}  // namespace
}  // namespace scion
