// The transducer loss on the CPU, in two halves each: the forward half solves the lattices, the
// backward half knows the upstream weights and makes the gradients. Internal to scion/loss.
#pragma once

#include "scion/loss/alignment.h"
#include "scion/loss/cpu/distillation.h"
#include "scion/loss/lattice/lattice.h"

namespace scion {

struct LatticeSolution {
  at::Tensor losses;       ///< (B) float
  at::Tensor divergences;  ///< (B) float, with targets
  at::Tensor terms;        ///< NodeTerms' storage, with flows when wanted
};

/// logits (B, T, U+1, V) float, bfloat16 or float16, contiguous
LatticeSolution solve_from_logits_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                                      bool flows);
/// Gradient of Σ_b weights[b] · loss[b], in the logits' shape and type.
at::Tensor logits_gradient_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                               const at::Tensor& terms, const at::Tensor& weights);

/// The same from log-probabilities, which are logits whose log-sums-of-exp are 0.
LatticeSolution solve_from_log_probs_cpu(const LatticeBatch& batch, const at::Tensor& log_probs,
                                         bool flows);
/// In the shape and type of `like`.
at::Tensor log_probs_gradient_cpu(const LatticeBatch& batch, const at::Tensor& like,
                                  const at::Tensor& terms, const at::Tensor& weights);

/// The first touch of a large new tensor in small pages takes longer than all of the arithmetic.
/// A wish only: without huge pages everything works the same.
void ask_for_huge_pages(const at::Tensor& tensor);

/// The joiner's inputs and parameters; float and contiguous where nothing else is said.
struct JoinerTensors {
  at::Tensor encoder, predictor, weight, bias;
};
/// What is made of the joiner's nodes on the way to the lattice.
struct JoinerSettings {
  bool bf16 = false;  ///< factors of products are rounded to bfloat16 where the processor has it
  int64_t workspace_bytes = 0;  ///< of nodes kept for the backward half
};
struct JoinerSolution {
  LatticeSolution lattice;
  at::Tensor kept;  ///< nodes of the utterances that find room; the others' are made again
};
JoinerSolution solve_from_joiner_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                     bool flows, const JoinerSettings& settings,
                                     const TargetNodes& targets = {});
/// What an utterance's two losses weigh, (B) each.
struct LossWeights {
  at::Tensor transducer;
  at::Tensor divergence;  ///< undefined without targets
};
/// Gradients of Σ_b weights.transducer[b] · loss[b] + weights.divergence[b] · divergence[b].
/// Settings and targets as in the forward half.
JoinerTensors joiner_gradients_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                   const JoinerSolution& solution, const LossWeights& weights,
                                   const JoinerSettings& settings, const TargetNodes& targets = {});

/// A joiner's lattices solved, whatever device and type its tensors are of; without gradient.
struct SolvedLattices {
  LatticeBatch batch;
  NodeTerms terms;
};
SolvedLattices solve_lattices_of(const JoinerBatch& inputs, const TransducerLossOptions& options,
                                 bool flows);

/// Both halves as one differentiable operation, over whole lattices or a band of them; any types.
at::Tensor fused_joiner_loss(const JoinerTensors& joiner, const LatticeBatch& batch,
                             const TransducerLossOptions& options);

}  // namespace scion
