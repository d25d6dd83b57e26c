// The transducer losses on a device that has its own memory and order of work: what is the same
// for every such device. Nothing here waits for the device. Internal to scion/loss.
#pragma once

#include "scion/loss/device/kernels.h"
#include "scion/loss/lattice/lattice.h"
#include "scion/loss/pruned_loss.h"

namespace scion {

/// What a device has to do. The one on CUDA is in dispatch_cuda.cc; tests bring one that runs
/// the kernels' bodies on the processor.
struct LossDevice {
  DeviceKernels kernels;
  /// The stream that libtorch's operations are on, now.
  void* (*stream)();
  /// out (m, n) float = a (m, k) · b (k, n), both float or both bfloat16, with sums in float.
  void (*multiply)(const at::Tensor& a, const at::Tensor& b, at::Tensor& out);
};

/// The device that has these tensors; nullptr for the processor, which has routes of its own.
/// UserError when they are not all in one place, or in one that this program has no kernels for.
const LossDevice* find_loss_device(std::initializer_list<at::Tensor> tensors);

/// As transducer_loss(), transducer_loss_from_log_probs() and joiner_transducer_loss(), of checked
/// inputs; the joiner's over whole lattices or a band, wherever its first states lie.
at::Tensor device_transducer_loss(const LossDevice& device, const at::Tensor& logits,
                                  const LatticeBatch& batch);
at::Tensor device_log_probs_loss(const LossDevice& device, const at::Tensor& log_probs,
                                 const LatticeBatch& batch);
at::Tensor device_joiner_loss(const LossDevice& device, const at::Tensor& encoder,
                              const at::Tensor& predictor, const at::Tensor& weight,
                              const at::Tensor& bias, const LatticeBatch& batch, bool bf16,
                              int64_t workspace);

/// As pruned_joiner_loss() of ranges (B, T, W), W ≤ U + 1, on the joiner's device, where they stay.
at::Tensor device_pruned_joiner_loss(const LossDevice& device, const at::Tensor& encoder,
                                     const at::Tensor& predictor, const at::Tensor& weight,
                                     const at::Tensor& bias, const at::Tensor& ranges,
                                     const LatticeBatch& batch, bool bf16, int64_t workspace);

/// As distilled_joiner_loss(), of checked inputs.
DistilledLoss device_distilled_loss(const LossDevice& device, const at::Tensor& encoder,
                                    const at::Tensor& predictor, const at::Tensor& weight,
                                    const at::Tensor& bias, const LatticeBatch& batch,
                                    const NodeTargets& targets, bool bf16, int64_t workspace);
/// Log-probabilities of blank and next label at every node, (B, T, U+1) both, 0 in padding; without
/// gradient.
std::pair<at::Tensor, at::Tensor> device_joiner_arcs(
    const LossDevice& device, const at::Tensor& encoder, const at::Tensor& predictor,
    const at::Tensor& weight, const at::Tensor& bias, const LatticeBatch& batch, bool bf16,
    int64_t workspace);

/// As ctc_loss(), of checked float logits.
at::Tensor device_ctc_loss(const LossDevice& device, const at::Tensor& logits,
                           const LatticeBatch& batch);

/// The recursion of lattice_loss() and lattice_flows(): losses (B), and flows where wanted.
struct ArcsSolution {
  at::Tensor losses;
  LatticeArcs flows;
};
ArcsSolution device_solve_arcs(const LossDevice& device, const LatticeArcs& arcs,
                               const LatticeBatch& batch, Topology topology, bool with_flows);

}  // namespace scion
