// The gradient of one node's logits on the CPU. Internal to scion/loss.
#pragma once

#include "scion/loss/cpu/node_terms.h"

namespace scion {

/// The gradient of a node's logits: each class's probability times `others`, that of blank and next
/// label times `arcs`, minus `blank` and `label` in these two classes.
struct NodeGradient {
  float others = 0, arcs = 0;
  float blank = 0, label = 0;
  int64_t blank_class = 0, label_class = kNoLabel;
  static constexpr int64_t kNoLabel = -1;
};
/// The class of state u's next label, or kNoLabel.
int64_t next_label(const LatticeBatch& batch, int64_t b, int64_t u);
/// weight · ∂loss/∂logits of node n = (t, u), from its flows: weight · (flow · softmax − arcs).
NodeGradient node_gradient(const LatticeBatch& batch, const NodeTerms& terms, int64_t b, int64_t n,
                           int64_t u, float weight);
/// out[k], k < classes, from the logits and their log-sum; works in place.
void write_gradient(const NodeGradient& gradient, const float* logits, float log_sum,
                    int64_t classes, float* out);

/// out[i] = weight · ∂loss/∂logit of the i-th duration at node n.
void write_duration_gradient(const NodeTerms& terms, int64_t b, int64_t n, float weight,
                             float* out);

}  // namespace scion
