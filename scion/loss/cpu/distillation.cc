#include "scion/loss/cpu/distillation.h"

#include "scion/core/parallel.h"
#include "scion/loss/lattice/checks.h"

namespace scion {
namespace {

at::Tensor plain(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU, at::kFloat).contiguous();
}

/// q · log(q / p)
double divergence_term(float teacher, double student_log) {
  return teacher > 0 ? teacher * (std::log(static_cast<double>(teacher)) - student_log) : 0;
}

}  // namespace

TargetNodes::TargetNodes(const LatticeBatch& batch, const NodeTargets& targets)
    : frames_(batch.max_frames()), states_(batch.max_states()) {
  check_node_targets(batch, targets);
  probabilities_ = plain(targets.probabilities);
  weights_ = plain(targets.weights);
  probability_ = probabilities_.const_data_ptr<float>();
  weight_ = weights_.const_data_ptr<float>();
  plane_ = weights_.numel();
}

at::Tensor node_divergences(const LatticeBatch& batch, const NodeTerms& terms,
                            const TargetNodes& targets) {
  at::Tensor divergences = at::empty({batch.size()}, at::kFloat);
  float* const out = divergences.data_ptr<float>();
  const double penalty = batch.rules().delay_penalty;
  for_each_in_parallel(batch.size(), [&](int64_t b) {
    const int64_t frames = batch.frames_of(b), states = batch.states_of(b);
    const float *blank = terms.blank(b), *label = terms.label(b), *rest = terms.rest(b);
    const float* const log_sum = terms.log_sum(b);
    double sum = 0;
    for (int64_t t = 0, n = 0; t < frames; ++t) {
      const double early = penalty * (static_cast<double>(frames - 1) / 2 - static_cast<double>(t));
      for (int64_t u = 0; u < states; ++u, ++n) {
        if (!std::isfinite(log_sum[n])) sum = NAN;
        const TargetNodes::Node target = targets.at(b, t, u);
        if (target.weight == 0) continue;
        sum += target.weight * (divergence_term(target.blank, blank[n]) +
                                divergence_term(target.label, label[n] - early) +
                                divergence_term(target.rest, rest[n]));
      }
    }
    out[b] = static_cast<float>(sum);
  });
  return divergences;
}

NodeGradient distilled_node_gradient(const LatticeBatch& batch, const NodeTerms& terms,
                                     const TargetNodes::Node& target, int64_t b, int64_t n,
                                     int64_t u, NodeWeights weights) {
  NodeGradient gradient = node_gradient(batch, terms, b, n, u, weights.transducer);
  const float pull = weights.divergence * target.weight;
  gradient.arcs += pull;
  // p_v / p_rest is at most 1: where p_rest is below e^-60 the product stays finite.
  gradient.others =
      gradient.arcs - pull * target.rest * std::exp(std::min(-terms.rest(b)[n], 60.F));
  gradient.blank += pull * target.blank;
  if (gradient.label_class != NodeGradient::kNoLabel) gradient.label += pull * target.label;
  return gradient;
}

}  // namespace scion
