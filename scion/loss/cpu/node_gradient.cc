#include "scion/loss/cpu/node_gradient.h"

#include "scion/loss/cpu/kernels.h"

namespace scion {

int64_t next_label(const LatticeBatch& batch, int64_t b, int64_t u) {
  return u + 1 < batch.states_of(b) ? batch.labels_of(b)[u] : NodeGradient::kNoLabel;
}

NodeGradient node_gradient(const LatticeBatch& batch, const NodeTerms& terms, int64_t b, int64_t n,
                           int64_t u, float weight) {
  const float blank = weight * terms.blank(b)[n], label = weight * terms.label(b)[n];
  const float flow = blank + label;
  return {flow, flow, blank, label, batch.blank(), next_label(batch, b, u)};
}

void write_gradient(const NodeGradient& gradient, const float* logits, float log_sum,
                    int64_t classes, float* out) {
  const auto of_arc = [&](int64_t symbol, float target) {
    return gradient.arcs * std::exp(logits[symbol] - log_sum) - target;
  };
  const bool has_label = gradient.label_class != NodeGradient::kNoLabel;
  if (gradient.arcs == gradient.others) {
    loss_kernels().scaled_softmax(logits, classes, log_sum, gradient.others, out);
    out[gradient.blank_class] -= gradient.blank;
    if (has_label) out[gradient.label_class] -= gradient.label;
    return;
  }
  const float blank = of_arc(gradient.blank_class, gradient.blank);
  const float label = has_label ? of_arc(gradient.label_class, gradient.label) : 0;
  loss_kernels().scaled_softmax(logits, classes, log_sum, gradient.others, out);
  out[gradient.blank_class] = blank;
  if (has_label) out[gradient.label_class] = label;
}

void write_duration_gradient(const NodeTerms& terms, int64_t b, int64_t n, float weight,
                             float* out) {
  for (int64_t i = 0; i < terms.durations(); ++i) out[i] = weight * terms.duration(b, i)[n];
}

}  // namespace scion
