// The solution of a batch's lattices on a device, shared by the losses and their two halves.
// Internal to scion/loss.
#pragma once

#include "scion/loss/device/dispatch.h"
#include "scion/loss/device/packed_batch.h"

namespace scion {

/// The kernels' name of a tensor's type; float32 for types that they do not know.
Number number_of(const at::Tensor& tensor);

/// Runs the recursion with the arcs and flows of `arguments`, and allocates the other arrays it
/// needs. losses (B) of the arcs' type.
void run_lattices(const LossDevice& device, const PackedBatch& packed, LatticeArguments arguments,
                  bool flows, const at::Tensor& losses);

/// A batch on a device and the terms of its nodes.
struct Solve {
  const LossDevice& device;
  LatticeBatch batch;
  PackedBatch packed;
  at::Tensor terms;  // (3, or 4 with a teacher, N) float: log-sums, then log-probabilities or flows

  Solve(const LossDevice& device, const LatticeBatch& batch, at::Device where,
        bool with_rest = false);

  DeviceTerms terms_view() const;
  /// Arguments of node_terms() of `rows`, for all nodes.
  TermsArguments terms_arguments(const LogitsRows& rows, int64_t classes) const;

  /// Losses (B) from the log-probabilities in `terms`, which flows replace if asked for.
  at::Tensor solve_lattices(bool flows) const;
};

}  // namespace scion
