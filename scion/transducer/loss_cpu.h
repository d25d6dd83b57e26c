// The transducer loss on the CPU, in two halves each: the forward half solves the lattices, the
// backward half knows the upstream weights and makes the gradients. Internal to scion/transducer.
#pragma once

#include "scion/transducer/lattice.h"

namespace scion {

struct LatticeSolution {
  at::Tensor losses;  ///< (B) float
  at::Tensor terms;   ///< NodeTerms' storage, with flows when wanted
};

/// logits (B, T, U+1, V) float or bfloat16, contiguous
LatticeSolution solve_from_logits_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                                      bool flows);
/// Gradient of Σ_b weights[b] · loss[b], in the logits' shape and type.
at::Tensor logits_gradient_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                               const at::Tensor& terms, const at::Tensor& weights);

/// The joiner's inputs and parameters, all float and contiguous.
struct JoinerTensors {
  at::Tensor encoder, predictor, weight, bias;
};
struct JoinerSolution {
  LatticeSolution lattice;
  at::Tensor kept_logits;  ///< every node's, where they are small; else undefined
};
/// With `bf16`, the products' factors are rounded to bfloat16 where the processor multiplies them.
JoinerSolution solve_from_joiner_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                     bool flows, bool bf16);
/// Gradients of Σ_b weights[b] · loss[b].
JoinerTensors joiner_gradients_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                   const at::Tensor& terms, const at::Tensor& kept_logits,
                                   const at::Tensor& weights, bool bf16);

}  // namespace scion
