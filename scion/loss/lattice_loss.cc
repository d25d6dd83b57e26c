#include "scion/loss/lattice_loss.h"

#include "scion/core/parallel.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/lattice/arc_lattice.h"
#include "scion/loss/lattice/checks.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

LatticeArcs ready(const LatticeArcs& arcs) {
  return {arcs.blank.detach().contiguous(), arcs.label.detach().contiguous()};
}

LatticeLabels on_cpu(const LatticeLabels& labels) {
  const auto here = [](const at::Tensor& x) { return x.cpu().contiguous(); };
  return {here(labels.tokens), here(labels.frame_lengths), here(labels.token_lengths)};
}

template <class T>
void solve_into(ArcsSolution& solution, const LatticeArcs& arcs, const LatticeLabels& labels,
                Topology topology) {
  const int64_t frames = arcs.blank.size(1), states = arcs.blank.size(2);
  const auto* const frame_lengths = labels.frame_lengths.const_data_ptr<int64_t>();
  const auto* const token_lengths = labels.token_lengths.const_data_ptr<int64_t>();
  for_each_in_parallel(arcs.blank.size(0), [&](int64_t b) {
    const int64_t count = token_lengths[b];
    ArcLattice<T> lattice(
        {.frames = frame_lengths[b],
         .labels = count,
         .width = count + 1,
         .same_frame = topology == Topology::regular},
        {arcs.blank.const_data_ptr<T>() + b * frames * states, states, count + 1},
        {arcs.label.const_data_ptr<T>() + b * frames * (states - 1), states - 1, count});
    const double total = lattice.forward();
    solution.losses.data_ptr<T>()[b] = static_cast<T>(-total);
    if (!solution.flows.blank.defined() || !std::isfinite(total)) return;
    const auto part = [b](const at::Tensor& flow) {
      return flow.data_ptr<T>() + b * flow.stride(0);
    };
    lattice.flows(total, {part(solution.flows.blank), states, count + 1},
                  {part(solution.flows.label), states - 1, count});
  });
}

ArcsSolution solve_on_cpu(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology,
                          bool with_flows) {
  ArcsSolution solution{at::empty({arcs.blank.size(0)}, arcs.blank.options()), {}};
  if (with_flows) solution.flows = {at::zeros_like(arcs.blank), at::zeros_like(arcs.label)};
  AT_DISPATCH_FLOATING_TYPES(arcs.blank.scalar_type(), "lattice_loss",
                             [&] { solve_into<scalar_t>(solution, arcs, labels, topology); });
  return solution;
}

/// Losses (B) and, if asked for, flows, on the arcs' device and in their type.
ArcsSolution solve(const LatticeArcs& given, const LatticeLabels& given_labels, Topology topology,
                   bool with_flows) {
  const LatticeArcs arcs = ready(given);
  const LatticeLabels labels = on_cpu(given_labels);
  const LossDevice* const device = find_loss_device({arcs.blank, arcs.label});
  if (device == nullptr) return solve_on_cpu(arcs, labels, topology, with_flows);
  const LatticeBatch batch(labels.tokens, labels.frame_lengths, labels.token_lengths + 1,
                           arcs.blank.size(1), {});
  return device_solve_arcs(*device, arcs, batch, topology, with_flows);
}

class ArcsLoss : public Function<ArcsLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& blank, const at::Tensor& label,
                            const LatticeLabels& labels, Topology topology, bool gradient) {
    const ArcsSolution solution = solve({blank, label}, labels, topology, gradient);
    if (gradient) ctx->save_for_backward({solution.flows.blank, solution.flows.label});
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list flows = ctx->get_saved_variables();
    const at::Tensor scale = -upstream[0].view({-1, 1, 1});
    // Without flow the gradient is 0, even if the upstream weight is not finite.
    const auto scaled = [&](const at::Tensor& flow) {
      return at::where(flow.eq(0), at::zeros_like(flow), flow * scale);
    };
    return {scaled(flows[0]), scaled(flows[1]), {}, {}, {}};
  }
};

}  // namespace

at::Tensor lattice_loss(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology) {
  return ArcsLoss::apply(arcs.blank, arcs.label, labels, topology,
                         needs_gradient({arcs.blank, arcs.label}));
}

LatticeArcs lattice_flows(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology) {
  return solve(arcs, labels, topology, true).flows;
}

}  // namespace scion
