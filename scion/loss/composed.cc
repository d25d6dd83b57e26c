#include "scion/loss/composed.h"

#include <limits>

#include "scion/core/device.h"
#include "scion/loss/lattice_loss.h"

namespace scion {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// Distance of each frame from the middle of its utterance, (B, T, 1): positive in early frames.
at::Tensor earliness(const LatticeLabels& labels, int64_t frames, const at::Tensor& like) {
  const at::Tensor middle =
      (upload(labels.frame_lengths, like.device()).to(like.scalar_type()) - 1).view({-1, 1, 1}) / 2;
  return middle - at::arange(frames, like.options()).view({1, -1, 1});
}

void add_delay_penalty(LatticeArcs& arcs, const LatticeLabels& labels, double penalty) {
  if (penalty == 0) return;
  arcs.label = arcs.label + penalty * earliness(labels, arcs.label.size(1), arcs.label);
}

void constrain(LatticeArcs& arcs, Topology topology) {
  if (topology != Topology::constrained) return;
  arcs.label = arcs.label + arcs.blank.narrow(2, 1, arcs.label.size(2));
}

at::Tensor log_of_sum_of_exp(const at::Tensor& x) { return at::logsumexp(x, {-1}, true); }

/// The labels' columns of (B, N, V): (B, N, U).
at::Tensor label_columns(const at::Tensor& values, const at::Tensor& tokens) {
  const at::Tensor index = upload(tokens, values.device()).clamp_min(0).unsqueeze(1);
  return values.gather(2, index.expand({-1, values.size(1), -1}));
}

/// lm at each state's next label: (B, 1, U).
at::Tensor next_labels(const at::Tensor& lm, const at::Tensor& tokens) {
  const at::Tensor index = upload(tokens, lm.device()).clamp_min(0).unsqueeze(2);
  return lm.narrow(1, 0, tokens.size(1)).gather(2, index).transpose(1, 2);
}

/// am(t) + lm(u), normalised over the labels.
LatticeArcs joined_arcs(const at::Tensor& am, const at::Tensor& lm, const at::Tensor& tokens,
                        int64_t blank) {
  const at::Tensor am_highest = am.detach().amax(2, true), lm_highest = lm.detach().amax(2, true);
  // (B, T, U+1). The smallest number of the type keeps the logarithm finite.
  const at::Tensor sums = at::bmm((am - am_highest).exp(), (lm - lm_highest).exp().transpose(1, 2));
  const double least = at::typeMetaToScalarType(sums.dtype()) == at::kDouble
                           ? std::numeric_limits<double>::min()
                           : double(std::numeric_limits<float>::min());
  const at::Tensor normalisers = (sums + least).log() + am_highest + lm_highest.transpose(1, 2);
  const int64_t labels = tokens.size(1);
  return {am.select(2, blank).unsqueeze(2) + lm.select(2, blank).unsqueeze(1) - normalisers,
          label_columns(am, tokens) + next_labels(lm, tokens) - normalisers.narrow(2, 0, labels)};
}

/// Arcs from the predictor alone, (B, 1, …).
LatticeArcs predictor_arcs(const at::Tensor& lm, const at::Tensor& tokens, int64_t blank) {
  const at::Tensor normalised = lm - log_of_sum_of_exp(lm);
  return {normalised.select(2, blank).unsqueeze(1), next_labels(normalised, tokens)};
}

/// Arcs from the encoder and the batch's average predictor; blank is (B, T, 1).
LatticeArcs encoder_arcs(const at::Tensor& am, const at::Tensor& lm, const at::Tensor& tokens,
                         int64_t blank) {
  const at::Tensor average = (lm.softmax(2).mean(at::IntArrayRef({0, 1}), true) +
                              double(std::numeric_limits<float>::min()))
                                 .log();  // (1, 1, V)
  const at::Tensor joined = am + average;
  const at::Tensor normalised = joined - log_of_sum_of_exp(joined);
  return {normalised.select(2, blank).unsqueeze(2), label_columns(normalised, tokens)};
}

/// Broken rows of values (B, N, …, V): those with NaN or +∞, or with −∞ alone.
struct BrokenRows {
  at::Tensor rows;        ///< (B, N, …, 1) bool
  at::Tensor utterances;  ///< (B) bool: utterances with such a row within their length
};

/// `within` (B, N, …) is true for an utterance's own rows, false in padding.
BrokenRows broken_rows(const at::Tensor& values, const at::Tensor& within) {
  const at::Tensor highest = values.detach().amax(-1, true);  // NaN if there is one
  const at::Tensor rows = highest.isfinite().logical_not();
  return {rows, rows.squeeze(-1).logical_and(within).flatten(1).any(1)};
}

/// lengths (B) → (B, size): true within the length.
at::Tensor within_lengths(const at::Tensor& lengths, int64_t size, at::Device device) {
  return at::arange(size, at::TensorOptions().dtype(at::kLong).device(device))
      .unsqueeze(0)
      .lt(upload(lengths, device).unsqueeze(1));
}

/// Replaces broken rows and all rows of broken utterances by zeros, so that their gradients are
/// zero.
at::Tensor without(const at::Tensor& values, const at::Tensor& rows, const at::Tensor& utterances) {
  std::vector<int64_t> shape(size_t(values.dim()), 1);
  shape[0] = values.size(0);
  return values.masked_fill(rows.logical_or(utterances.view(shape)), 0);
}

at::Tensor nan_where(const at::Tensor& utterances, const at::Tensor& losses) {
  return losses.masked_fill(utterances, std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

SimpleLoss composed_simple_loss(const at::Tensor& given_am, const at::Tensor& given_lm,
                                const LatticeLabels& labels, const SimpleLossOptions& options) {
  const at::Device device = given_am.device();
  const BrokenRows broken_am =
      broken_rows(given_am, within_lengths(labels.frame_lengths, given_am.size(1), device));
  const BrokenRows broken_lm =
      broken_rows(given_lm, within_lengths(labels.token_lengths + 1, given_lm.size(1), device));
  const at::Tensor broken = broken_am.utterances.logical_or(broken_lm.utterances);
  const at::Tensor am = without(given_am, broken_am.rows, broken);
  const at::Tensor lm = without(given_lm, broken_lm.rows, broken);
  LatticeArcs arcs = joined_arcs(am, lm, labels.tokens, options.blank);
  const double both = 1 - options.lm_only_scale - options.am_only_scale;
  const auto mix = [&](double share, const LatticeArcs& other) {
    arcs.blank = arcs.blank + share * other.blank;
    arcs.label = arcs.label + share * other.label;
  };
  if (both != 1) arcs = {arcs.blank * both, arcs.label * both};
  if (options.lm_only_scale != 0)
    mix(options.lm_only_scale, predictor_arcs(lm, labels.tokens, options.blank));
  if (options.am_only_scale != 0)
    mix(options.am_only_scale, encoder_arcs(am, lm, labels.tokens, options.blank));
  constrain(arcs, options.topology);
  add_delay_penalty(arcs, labels, options.delay_penalty);
  const at::Tensor losses = nan_where(broken, lattice_loss(arcs, labels, options.topology));
  const LatticeArcs known{arcs.blank.detach(), arcs.label.detach()};
  return {losses, known, lattice_flows(known, labels, options.topology)};
}

at::Tensor composed_pruned_loss(const at::Tensor& given, const at::Tensor& ranges,
                                const LatticeLabels& labels, const SimpleLossOptions& options) {
  const at::Tensor frames = within_lengths(labels.frame_lengths, given.size(1), given.device());
  const at::Tensor last = upload(labels.token_lengths, given.device()).view({-1, 1, 1});
  const BrokenRows broken =
      broken_rows(given, frames.unsqueeze(2).logical_and(ranges.to(given.device()).le(last)));
  const at::Tensor logits = without(given, broken.rows, broken.utterances);
  const int64_t states = labels.tokens.size(1) + 1;
  const at::Tensor normalisers = at::logsumexp(logits, {3});
  // The last state has no next label; its arc is cut off below.
  const at::Tensor next =
      at::constant_pad_nd(upload(labels.tokens, logits.device()).clamp_min(0), {0, 1})
          .unsqueeze(1)
          .expand({-1, ranges.size(1), -1})
          .gather(2, ranges);
  const at::Tensor label = logits.gather(3, next.unsqueeze(3)).squeeze(3) - normalisers;
  const at::Tensor blank = logits.select(3, options.blank) - normalisers;
  const auto at_states = [&](const at::Tensor& values) {
    return at::full({ranges.size(0), ranges.size(1), states}, minus_infinity, values.options())
        .scatter(2, ranges, values);
  };
  LatticeArcs arcs{at_states(blank), at_states(label).narrow(2, 0, states - 1)};
  constrain(arcs, options.topology);
  add_delay_penalty(arcs, labels, options.delay_penalty);
  return nan_where(broken.utterances, lattice_loss(arcs, labels, options.topology));
}
}  // namespace scion
