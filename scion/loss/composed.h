// Losses composed of single tensor operations: the simple pass on devices other than the CPU, in
// float64 and with encoder-only smoothing, and the loss from the logits of a band. Inputs are
// already checked. Internal to scion/loss.
#pragma once

#include "scion/loss/pruned_loss.h"

namespace scion {

/// As simple_transducer_loss() and pruned_transducer_loss(), in float or double.
SimpleLoss composed_simple_loss(const at::Tensor& am, const at::Tensor& lm,
                                const LatticeLabels& labels, const SimpleLossOptions& options);
at::Tensor composed_pruned_loss(const at::Tensor& logits, const at::Tensor& ranges,
                                const LatticeLabels& labels, const SimpleLossOptions& options);

}  // namespace scion
