// What the losses on a device share between themselves and their two halves. Internal to
// scion/loss.
#pragma once

#include "scion/loss/device/dispatch.h"
#include "scion/loss/device/packed_batch.h"

namespace scion {

/// float32 for whatever kernels have no other name for.
Number number_of(const at::Tensor& tensor);

/// Runs the recursion with the arcs and flows of `arguments`; arrays that it needs beside them are
/// made here. losses (B) of the arcs' type.
void run_lattices(const LossDevice& device, const PackedBatch& packed, LatticeArguments arguments,
                  bool flows, const at::Tensor& losses);

/// What both halves of a loss share.
struct Solve {
  const LossDevice& device;
  LatticeBatch batch;
  PackedBatch packed;
  at::Tensor terms;  // (3, or 4 with a teacher, N) float: log-sums, then log-probabilities or flows

  Solve(const LossDevice& device, const LatticeBatch& batch, at::Device where,
        bool with_rest = false);

  DeviceTerms terms_view() const;
  /// What node_terms() of `rows` is asked, for all nodes.
  TermsArguments terms_arguments(const LogitsRows& rows, int64_t classes) const;

  /// Losses (B) from the log-probabilities in `terms`. With `flows` these take their place.
  at::Tensor solve_lattices(bool flows) const;
};

}  // namespace scion
