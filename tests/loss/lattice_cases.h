// Random batches for the loss tests, and losses by their definition in float64.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "scion/loss/lattice/types.h"

namespace scion::testing {

inline constexpr Topology kTopologies[] = {Topology::regular, Topology::modified,
                                           Topology::constrained};

struct Case {
  at::Tensor tokens, frames, labels;  // (B, U), (B), (B)
  int64_t T = 0, U = 0, V = 0;
};

/// Lengths as given (the tensors are one larger than the longest, so that every utterance has
/// padding), random labels in 1 … V−1, padding −1.
inline Case make_case(const std::vector<int64_t>& frames, const std::vector<int64_t>& labels,
                      int64_t V) {
  Case c;
  c.frames = at::tensor(frames, at::kLong);
  c.labels = at::tensor(labels, at::kLong);
  c.T = *std::max_element(frames.begin(), frames.end()) + 1;
  c.U = *std::max_element(labels.begin(), labels.end()) + 1;
  c.V = V;
  const auto B = static_cast<int64_t>(frames.size());
  c.tokens = at::randint(1, V, {B, c.U}, at::kLong);
  for (int64_t b = 0; b < B; ++b) c.tokens[b].slice(0, labels[b]).fill_(-1);
  return c;
}

inline LatticeLabels labels_of(const Case& c) { return {c.tokens, c.frames, c.labels}; }

/// A joiner of width D with random inputs and weights.
inline JoinerInputs random_joiner_inputs(const Case& c, int64_t D) {
  const int64_t B = c.tokens.size(0);
  return {at::randn({B, c.T, D}), at::randn({B, c.U + 1, D}), at::randn({c.V, D}),
          at::randn({c.V})};
}

/// Encoder, predictor, weight and bias by position.
inline JoinerInputs joiner_of(const std::vector<at::Tensor>& x) { return {x[0], x[1], x[2], x[3]}; }

/// All logits (B, T, U+1, V).
inline at::Tensor logits_of(const JoinerInputs& joiner) {
  return at::linear(at::tanh(joiner.encoder.unsqueeze(2) + joiner.predictor.unsqueeze(1)),
                    joiner.weight, joiner.bias);
}

/// The joiner's rows at the states `ranges` (B, T, W): encoder (B, T, D) → (B, T, 1, D) and
/// predictor (B, U+1, D) → (B, T, W, D).
inline std::pair<at::Tensor, at::Tensor> take_ranges(const at::Tensor& encoder,
                                                     const at::Tensor& predictor,
                                                     const at::Tensor& ranges) {
  const int64_t D = predictor.size(2);
  const at::Tensor rows = ranges.flatten(1).unsqueeze(2).expand({-1, -1, D});
  return {encoder.unsqueeze(2),
          predictor.gather(1, rows).view({ranges.size(0), ranges.size(1), ranges.size(2), D})};
}

/// Sum over all alignments of the product of their arcs, one recursive call per arc: the
/// definition. log_probs (T, U+1, V) float64 of one utterance, without padding.
struct AllAlignments {
  at::TensorAccessor<double, 3> log_probs;
  const int64_t* labels;
  int64_t blank;
  Topology topology = Topology::regular;

  double from(int64_t t, int64_t u) const {
    const int64_t T = log_probs.size(0), U = log_probs.size(1) - 1;
    if (t == T) return u == U ? 1 : 0;
    double sum = std::exp(log_probs[t][u][blank]) * from(t + 1, u);
    if (u == U) return sum;
    const double label = std::exp(log_probs[t][u][labels[u]]);
    if (topology == Topology::regular) return sum + label * from(t, u + 1);
    const double next_blank =
        topology == Topology::constrained ? std::exp(log_probs[t][u + 1][blank]) : 1;
    return sum + label * next_blank * from(t + 1, u + 1);
  }
};

/// The nodes of a band: ranges (B, T, W) → (B, T, U+1) bool.
inline at::Tensor nodes_of(const at::Tensor& ranges, const Case& c) {
  const at::Tensor none = at::zeros({ranges.size(0), ranges.size(1), c.U + 1}, at::kBool);
  return none.scatter(2, ranges, true);
}

/// −log P of every utterance (B) float64, from logits (B, T, U+1, V); with `within` (B, T, U+1)
/// over the alignments that pass through these nodes alone.
inline at::Tensor brute_force_transducer(const at::Tensor& logits, const Case& c, int64_t blank = 0,
                                         Topology topology = Topology::regular,
                                         const at::Tensor& within = {}) {
  std::vector<double> losses;
  for (int64_t b = 0; b < logits.size(0); ++b) {
    const int64_t T = c.frames[b].item<int64_t>(), U = c.labels[b].item<int64_t>();
    const auto own = [&](const at::Tensor& x) { return x[b].slice(0, 0, T).slice(1, 0, U + 1); };
    at::Tensor log_probs = own(logits).to(at::kDouble).log_softmax(-1).contiguous();
    if (within.defined())
      log_probs = log_probs.masked_fill(own(within).logical_not().unsqueeze(2), -INFINITY);
    const AllAlignments all{log_probs.accessor<double, 3>(), c.tokens[b].const_data_ptr<int64_t>(),
                            blank, topology};
    // Without a frame there is no alignment, not even an empty one.
    losses.push_back(T == 0 ? INFINITY : -std::log(all.from(0, 0)));
  }
  return at::tensor(losses, at::kDouble);
}

/// The gradient of f, a scalar function of x (float64), by central differences.
inline at::Tensor finite_differences(const std::function<double(const at::Tensor&)>& f,
                                     const at::Tensor& x, double step = 1e-5) {
  at::Tensor at_x = x.to(at::kDouble).clone().contiguous(), gradient = at::zeros_like(at_x);
  double* const value = at_x.data_ptr<double>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    const double kept = value[i];
    value[i] = kept + step;
    const double above = f(at_x);
    value[i] = kept - step;
    const double below = f(at_x);
    value[i] = kept;
    gradient.data_ptr<double>()[i] = (above - below) / (2 * step);
  }
  return gradient;
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace scion::testing
