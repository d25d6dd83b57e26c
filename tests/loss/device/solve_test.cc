// The recursion over lattices of given arcs on a device.

#include <gtest/gtest.h>

#include "scion/loss/lattice_loss.h"
#include "tests/loss/device/device_cases.h"

namespace scion {
namespace {

using scion::testing::batch_of;
using scion::testing::Case;
using scion::testing::DeviceTest;
using scion::testing::host_device;
using scion::testing::kTopologies;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::make_case;

class DeviceLattices : public DeviceTest {
 protected:
  static LatticeArcs random_arcs(const Case& c, at::ScalarType type) {
    return {at::randn({c.tokens.size(0), c.T, c.U + 1}, type),
            at::randn({c.tokens.size(0), c.T, c.U}, type)};
  }
};

TEST_F(DeviceLattices, EqualTheCpuRouteInEveryTopology) {
  const Case c = make_case({4, 1, 3, 9, 2}, {3, 2, 0, 40, 2}, 5);
  for (const at::ScalarType type : {at::kDouble, at::kFloat})
    for (const Topology topology : kTopologies) {
      LatticeArcs arcs = random_arcs(c, type);
      arcs.blank[0][1][1] = -INFINITY;
      arcs.label[4][0][0] = NAN;
      // Except in `regular`, utterance 3 has no alignment.
      if (topology != Topology::regular) arcs.blank[3][8][0] = NAN;
      const LatticeLabels labels = labels_of(c);
      const double tolerance = type == at::kDouble ? 1e-12 : 3e-6;
      const at::Tensor expected = lattice_loss(arcs, labels, topology);
      const LatticeArcs flows = lattice_flows(arcs, labels, topology);
      const ArcsSolution found =
          device_solve_arcs(host_device(), arcs, batch_of(c, {}), topology, true);
      EXPECT_TRUE(at::allclose(found.losses, expected, tolerance, tolerance, /*equal_nan=*/true))
          << found.losses << expected;
      EXPECT_LT(largest_difference(found.flows.blank, flows.blank), tolerance);
      EXPECT_LT(largest_difference(found.flows.label, flows.label), tolerance);
      EXPECT_EQ(found.flows.blank[4].abs().max().item<double>(), 0);
      EXPECT_TRUE(at::equal(
          device_solve_arcs(host_device(), arcs, batch_of(c, {}), topology, false).losses[0],
          found.losses[0]));
    }
}

TEST_F(DeviceLattices, LongUtterancesStayPrecise) {
  const Case c = make_case({3000}, {20}, 5);
  const LatticeArcs arcs = random_arcs(c, at::kFloat);
  const LatticeArcs wide{arcs.blank.to(at::kDouble), arcs.label.to(at::kDouble)};
  const auto solve = [&](const LatticeArcs& x) {
    return device_solve_arcs(host_device(), x, batch_of(c, {}), Topology::regular, true);
  };
  const ArcsSolution found = solve(arcs), expected = solve(wide);
  EXPECT_LT(largest_difference(found.losses / expected.losses, at::ones({1})), 1e-6);
  EXPECT_LT(largest_difference(found.flows.blank.sum(), expected.flows.blank.sum()), 1e-2);
  EXPECT_LT(largest_difference(found.flows.label, expected.flows.label), 1e-5);
}

/// A device whose lattice kernel keeps its lines in ordinary memory instead of a block's.
LossDevice without_shared_memory() {
  LossDevice device = host_device();
  device.kernels.lattices = [](const LatticeArguments& given, void* stream) {
    LatticeArguments arguments = given;
    std::vector<double> lines(size_t(given.launch().blocks * 2 * given.lattices.max_states));
    arguments.lines = lines.data();
    host_device().kernels.lattices(arguments, stream);
  };
  return device;
}

TEST_F(DeviceLattices, NeedNoSharedMemory) {
  const Case c = make_case({4, 7}, {3, 9}, 5);
  const LatticeArcs arcs = random_arcs(c, at::kFloat);
  const auto solve = [&](const LossDevice& device) {
    return device_solve_arcs(device, arcs, batch_of(c, {}), Topology::regular, true);
  };
  const LossDevice device = without_shared_memory();
  const ArcsSolution found = solve(device), expected = solve(host_device());
  EXPECT_TRUE(at::equal(found.losses, expected.losses));
  EXPECT_TRUE(at::equal(found.flows.label, expected.flows.label));
}

}  // namespace
}  // namespace scion
