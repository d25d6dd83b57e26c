// The transducer losses on a device with its own memory and stream of work, in the form common to
// all such devices. Nothing here synchronises the device. Internal to scion/loss.
#pragma once

#include <initializer_list>
#include <utility>

#include "scion/loss/device/kernels.h"
#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// The operations of a device. dispatch_cuda.cc has those of CUDA; tests use a device that runs the
/// kernels' bodies on the CPU.
struct LossDevice {
  DeviceKernels kernels;
  /// The stream that libtorch's operations currently run on.
  void* (*stream)();
  /// out (m, n) float = a (m, k) · b (k, n), both float or both bfloat16, with sums in float.
  void (*multiply)(const at::Tensor& a, const at::Tensor& b, at::Tensor& out);
};

/// The device that holds these tensors; nullptr for the CPU, which has separate routes.
/// UserError if they are not all on one device, or this program has no kernels for it.
const LossDevice* find_loss_device(std::initializer_list<at::Tensor> tensors);

/// As transducer_loss(), transducer_loss_from_log_probs() and joiner_transducer_loss(), of a
/// checked batch; the joiner's over whole lattices or a band, whose first states may be on any
/// device.
at::Tensor device_transducer_loss(const LossDevice& device, const at::Tensor& logits,
                                  const LatticeBatch& batch);
at::Tensor device_log_probs_loss(const LossDevice& device, const at::Tensor& log_probs,
                                 const LatticeBatch& batch);
at::Tensor device_joiner_loss(const LossDevice& device, const JoinerInputs& joiner,
                              const LatticeBatch& batch, const JoinerSettings& settings);

/// As pruned_joiner_loss() of ranges (B, T, W), W ≤ U + 1, that stay on the joiner's device.
at::Tensor device_pruned_joiner_loss(const LossDevice& device, const JoinerInputs& joiner,
                                     const at::Tensor& ranges, const LatticeBatch& batch,
                                     const JoinerSettings& settings);

/// As distilled_joiner_loss(), of a checked batch. UserError if the targets' sizes differ from it.
DistilledLoss device_distilled_loss(const LossDevice& device, const JoinerInputs& joiner,
                                    const LatticeBatch& batch, const NodeTargets& targets,
                                    const JoinerSettings& settings);
/// Log-probabilities of blank and next label at every node, (B, T, U+1) both, 0 in padding; without
/// gradient.
std::pair<at::Tensor, at::Tensor> device_joiner_arcs(const LossDevice& device,
                                                     const JoinerInputs& joiner,
                                                     const LatticeBatch& batch,
                                                     const JoinerSettings& settings);

/// As ctc_loss(), of float logits of a checked batch.
at::Tensor device_ctc_loss(const LossDevice& device, const at::Tensor& logits,
                           const LatticeBatch& batch);

/// The recursion of lattice_loss() and lattice_flows(): losses (B) and, if asked for, flows.
struct ArcsSolution {
  at::Tensor losses;
  LatticeArcs flows;
};
ArcsSolution device_solve_arcs(const LossDevice& device, const LatticeArcs& arcs,
                               const LatticeBatch& batch, Topology topology, bool with_flows);

}  // namespace scion
