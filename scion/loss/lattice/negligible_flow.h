// Thresholds below which a node of the lattice gets no gradient. No torch here: GPU kernels include
// it. Internal to scion/loss.
#pragma once

namespace scion {

/// Nodes that alignments use with less probability get no gradient: together they weigh less than
/// the rounding error of a float sum.
inline constexpr float kNegligibleFlow = 1e-10F;
/// The same where factors are rounded to bfloat16, which has eight bits.
inline constexpr float kNegligibleFlowInBFloat16 = 1e-6F;

}  // namespace scion
