// A teacher's targets at the lattice's nodes on the CPU. Internal to scion/loss.
#pragma once

#include "scion/loss/cpu/node_gradient.h"
#include "scion/loss/cpu/node_terms.h"

namespace scion {

/// NodeTargets by node: float, on the CPU, contiguous.
class TargetNodes {
 public:
  struct Node {
    float blank, label, rest;  ///< the teacher's probabilities
    float weight;
  };

  TargetNodes() = default;  ///< none: every weight is 0
  /// UserError if the targets' sizes differ from the batch's.
  TargetNodes(const LatticeBatch& batch, const NodeTargets& targets);

  explicit operator bool() const { return weights_.defined(); }
  Node at(int64_t b, int64_t t, int64_t u) const {
    const int64_t i = (b * frames_ + t) * states_ + u;
    return {probability_[i], probability_[plane_ + i], probability_[2 * plane_ + i], weight_[i]};
  }
  float weight(int64_t b, int64_t t, int64_t u) const {
    return weight_ == nullptr ? 0 : weight_[(b * frames_ + t) * states_ + u];
  }

 private:
  at::Tensor probabilities_, weights_;
  const float *probability_ = nullptr, *weight_ = nullptr;
  int64_t frames_ = 0, states_ = 0, plane_ = 0;
};

/// DistilledLoss::divergence (B), from all four terms before flows replace two of them; NaN where
/// logits are broken, whatever their weight.
at::Tensor node_divergences(const LatticeBatch& batch, const NodeTerms& terms,
                            const TargetNodes& targets);

/// Upstream weights of a node's two gradients.
struct NodeWeights {
  float transducer, divergence;  ///< the utterance's; the node's own weight is in its target
};
/// node_gradient() plus the gradient of the divergence.
NodeGradient distilled_node_gradient(const LatticeBatch& batch, const NodeTerms& terms,
                                     const TargetNodes::Node& target, int64_t b, int64_t n,
                                     int64_t u, NodeWeights weights);

}  // namespace scion
