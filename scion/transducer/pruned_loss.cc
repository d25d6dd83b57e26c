#include "scion/transducer/pruned_loss.h"

#include <limits>

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/transducer/lattice.h"
#include "scion/transducer/loss_device.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

/// Not a number when one of both is none.
double log_add(double a, double b) {
  const double high = a > b ? a : b, low = a > b ? b : a;
  return low == minus_infinity ? high : high + std::log1p(std::exp(low - high));
}

/// One utterance's lattice: nodes (t, u) with t in 0 … frames, u in 0 … labels. An alignment goes
/// from (0, 0) to (frames, labels).
template <class T>
class Lattice {
 public:
  Lattice(const T* blank, const T* label, int64_t frames, int64_t labels, int64_t states,
          bool same_frame)
      : blank_(blank),
        label_(label),
        frames_(frames),
        labels_(labels),
        states_(states),
        same_frame_(same_frame) {}

  double blank(int64_t t, int64_t u) const { return double(blank_[t * states_ + u]); }
  double label(int64_t t, int64_t u) const { return double(label_[t * (states_ - 1) + u]); }
  size_t node(int64_t t, int64_t u) const { return size_t(t * (labels_ + 1) + u); }
  /// Where label u+1 in frame t leads.
  size_t behind_label(int64_t t, int64_t u) const { return node(same_frame_ ? t : t + 1, u + 1); }

  /// Log-probability of all ways to each node.
  std::vector<double> forward() const {
    std::vector<double> alpha(node(frames_, labels_) + 1, minus_infinity);
    alpha[0] = 0;
    for (int64_t t = 0; t < frames_; ++t)
      for (int64_t u = 0; u <= labels_; ++u) {
        const double here = alpha[node(t, u)];
        double& next = alpha[node(t + 1, u)];
        next = log_add(next, here + blank(t, u));
        if (u == labels_) continue;
        double& labelled = alpha[behind_label(t, u)];
        labelled = log_add(labelled, here + label(t, u));
      }
    return alpha;
  }

  /// Log-probability of all ways from each node to the end.
  std::vector<double> backward() const {
    std::vector<double> beta(node(frames_, labels_) + 1, minus_infinity);
    beta.back() = 0;
    for (int64_t t = frames_; t-- > 0;)
      for (int64_t u = labels_; u >= 0; --u) {
        double sum = beta[node(t + 1, u)] + blank(t, u);
        if (u < labels_) sum = log_add(sum, beta[behind_label(t, u)] + label(t, u));
        beta[node(t, u)] = sum;
      }
    return beta;
  }

  /// Probabilities that an alignment uses the arcs; `blank` and `label` begin as zeros.
  /// `alpha` is what forward() gave.
  void flows(const std::vector<double>& alpha, T* blank_flow, T* label_flow) const {
    const double total = alpha.back();
    if (!std::isfinite(total)) return;
    const std::vector<double> beta = backward();
    for (int64_t t = 0; t < frames_; ++t)
      for (int64_t u = 0; u <= labels_; ++u) {
        const double here = alpha[node(t, u)] - total;
        if (here == minus_infinity) continue;
        blank_flow[t * states_ + u] = flow(here + blank(t, u) + beta[node(t + 1, u)]);
        if (u < labels_)
          label_flow[t * (states_ - 1) + u] = flow(here + label(t, u) + beta[behind_label(t, u)]);
      }
  }

 private:
  /// No alignment goes through an arc that is not a number.
  static T flow(double log) { return std::isnan(log) ? T(0) : static_cast<T>(std::exp(log)); }

  const T *blank_, *label_;
  int64_t frames_, labels_, states_;
  bool same_frame_;
};

/// f(b, lattice) for every utterance, in parallel. The arcs are contiguous and on the processor.
template <class T, class F>
void for_each_lattice(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology,
                      const F& f) {
  const int64_t frames = arcs.blank.size(1), states = arcs.blank.size(2);
  const T* const blank = arcs.blank.const_data_ptr<T>();
  const T* const label = arcs.label.const_data_ptr<T>();
  const auto* const frame_lengths = labels.frame_lengths.const_data_ptr<int64_t>();
  const auto* const token_lengths = labels.token_lengths.const_data_ptr<int64_t>();
  for_each_in_parallel(arcs.blank.size(0), [&](int64_t b) {
    f(b, Lattice<T>(blank + b * frames * states, label + b * frames * (states - 1),
                    frame_lengths[b], token_lengths[b], states, topology == Topology::regular));
  });
}

LatticeArcs ready(const LatticeArcs& arcs) {
  return {arcs.blank.detach().contiguous(), arcs.label.detach().contiguous()};
}

LatticeLabels on_processor(const LatticeLabels& labels) {
  const auto here = [](const at::Tensor& x) { return x.cpu().contiguous(); };
  return {here(labels.tokens), here(labels.frame_lengths), here(labels.token_lengths)};
}

ArcsSolution solve_on_processor(const LatticeArcs& arcs, const LatticeLabels& labels,
                                Topology topology, bool with_flows) {
  ArcsSolution solution{at::empty({arcs.blank.size(0)}, arcs.blank.options()), {}};
  if (with_flows) solution.flows = {at::zeros_like(arcs.blank), at::zeros_like(arcs.label)};
  AT_DISPATCH_FLOATING_TYPES(arcs.blank.scalar_type(), "lattice_loss", [&] {
    for_each_lattice<scalar_t>(
        arcs, labels, topology, [&](int64_t b, const Lattice<scalar_t>& lattice) {
          const std::vector<double> alpha = lattice.forward();
          solution.losses.data_ptr<scalar_t>()[b] = static_cast<scalar_t>(-alpha.back());
          if (!with_flows) return;
          const auto part = [b](const at::Tensor& flow) {
            return flow.data_ptr<scalar_t>() + b * flow.stride(0);
          };
          lattice.flows(alpha, part(solution.flows.blank), part(solution.flows.label));
        });
  });
  return solution;
}

/// Losses (B), and the flows where they are wanted, on the arcs' device and in their type.
ArcsSolution solve(const LatticeArcs& given, const LatticeLabels& given_labels, Topology topology,
                   bool with_flows) {
  const LatticeArcs arcs = ready(given);
  const LatticeLabels labels = on_processor(given_labels);
  const LossDevice* const device = find_loss_device({arcs.blank, arcs.label});
  if (device == nullptr) return solve_on_processor(arcs, labels, topology, with_flows);
  const LatticeBatch batch(labels.tokens, labels.frame_lengths, labels.token_lengths + 1,
                           arcs.blank.size(1), {});
  return device_solve_arcs(*device, arcs, batch, topology, with_flows);
}

class ArcsLoss : public Function<ArcsLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& blank, const at::Tensor& label,
                            const LatticeLabels& labels, Topology topology, bool gradient) {
    const ArcsSolution solution = solve({blank, label}, labels, topology, gradient);
    if (gradient) ctx->save_for_backward({solution.flows.blank, solution.flows.label});
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list flows = ctx->get_saved_variables();
    const at::Tensor scale = -upstream[0].view({-1, 1, 1});
    // Where nothing flows there is no gradient, whatever stands behind it.
    const auto scaled = [&](const at::Tensor& flow) {
      return at::where(flow.eq(0), at::zeros_like(flow), flow * scale);
    };
    return {scaled(flows[0]), scaled(flows[1]), {}, {}, {}};
  }
};

/// Frames' places relative to the middle of their utterance, (B, T, 1): positive in early frames.
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

/// Columns of (B, N, V) that stand for the labels: (B, N, U).
at::Tensor label_columns(const at::Tensor& values, const at::Tensor& tokens) {
  const at::Tensor index = upload(tokens, values.device()).clamp_min(0).unsqueeze(1);
  return values.gather(2, index.expand({-1, values.size(1), -1}));
}

/// lm at its own state's next label: (B, 1, U).
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

/// What the predictor alone gives, (B, 1, …).
LatticeArcs predictor_arcs(const at::Tensor& lm, const at::Tensor& tokens, int64_t blank) {
  const at::Tensor normalised = lm - log_of_sum_of_exp(lm);
  return {normalised.select(2, blank).unsqueeze(1), next_labels(normalised, tokens)};
}

/// What the encoder gives with the batch's average predictor; blank is (B, T, 1).
LatticeArcs encoder_arcs(const at::Tensor& am, const at::Tensor& lm, const at::Tensor& tokens,
                         int64_t blank) {
  const at::Tensor average = (lm.softmax(2).mean(at::IntArrayRef({0, 1}), true) +
                              double(std::numeric_limits<float>::min()))
                                 .log();  // (1, 1, V)
  const at::Tensor joined = am + average;
  const at::Tensor normalised = joined - log_of_sum_of_exp(joined);
  return {normalised.select(2, blank).unsqueeze(2), label_columns(normalised, tokens)};
}

void check_inputs(const at::Tensor& values, const LatticeLabels& labels, int64_t blank) {
  check_lattice_batch(values.size(0), values.size(1), values.size(-1), labels.tokens.cpu(),
                      labels.frame_lengths.cpu(), labels.token_lengths.cpu(), {blank, 0, 0});
}

/// out[i] = the smallest of x[i], x[i+1], … along the last dimension.
at::Tensor lower_bound(const at::Tensor& x) {
  return std::get<0>(x.flip({-1}).cummin(-1)).flip({-1});
}

}  // namespace

at::Tensor lattice_loss(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology) {
  return ArcsLoss::apply(arcs.blank, arcs.label, labels, topology,
                         wants_gradient({arcs.blank, arcs.label}));
}

LatticeArcs lattice_flows(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology) {
  return solve(arcs, labels, topology, true).flows;
}

SimpleLoss simple_transducer_loss(const at::Tensor& am, const at::Tensor& lm,
                                  const LatticeLabels& labels, const SimpleLossOptions& options) {
  if (am.dim() != 3 || lm.dim() != 3 || am.size(2) != lm.size(2) || am.size(0) != lm.size(0) ||
      labels.tokens.dim() != 2 || lm.size(1) != labels.tokens.size(1) + 1)
    throw UserError(fmt::format("am {}, lm {} and tokens {} do not fit together", shape_text(am),
                                shape_text(lm), shape_text(labels.tokens)),
                    "give (B, T, V), (B, U+1, V) and (B, U)");
  check_inputs(am, labels, options.blank);
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
  return {lattice_loss(arcs, labels, options.topology), arcs};
}

at::Tensor pruning_ranges(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology,
                          int64_t width) {
  const bool regular = topology == Topology::regular;
  if (width < (regular ? 2 : 1))
    throw UserError(
        fmt::format("a pruned lattice of {} states a frame", width),
        regular ? "2 at least: a state and the one behind its label" : "give 1 at least");
  const LatticeArcs flows = lattice_flows(arcs, labels, topology);
  const int64_t frames = flows.blank.size(1), states = flows.blank.size(2);
  width = std::min(width, states);
  // What goes on to the next frame from a window's states, without what a label brings to its
  // first: so much would be lost by beginning elsewhere.
  const at::Tensor through = flows.blank.unfold(2, width, 1).sum(-1);
  const at::Tensor entering =
      at::constant_pad_nd(flows.label, {1, 0}).narrow(2, 0, states - width + 1);
  at::Tensor first = (through - entering).argmax(2);  // (B, T)

  const at::Tensor frame = at::arange(frames, first.options()).unsqueeze(0);
  const at::Tensor lengths = upload(labels.frame_lengths, first.device()).unsqueeze(1);
  const at::Tensor at_the_end =
      (upload(labels.token_lengths, first.device()) - width + 1).clamp_min(0).unsqueeze(1);
  first = at::where(frame.lt(lengths - 1), first, at_the_end);
  // Never back, and never farther than `step` states ahead.
  const int64_t step = regular ? width - 1 : 1;
  first = lower_bound(first);
  first = -lower_bound(step * frame - first).clamp_min(0) + step * frame;
  return first.unsqueeze(2) + at::arange(width, first.options());
}

std::pair<at::Tensor, at::Tensor> take_ranges(const at::Tensor& encoder,
                                              const at::Tensor& predictor,
                                              const at::Tensor& ranges) {
  const int64_t batch = ranges.size(0), frames = ranges.size(1), width = ranges.size(2);
  const at::Tensor rows =
      ranges.view({batch, frames * width, 1}).expand({-1, -1, predictor.size(2)});
  return {encoder.unsqueeze(2),
          predictor.gather(1, rows).view({batch, frames, width, predictor.size(2)})};
}

at::Tensor pruned_transducer_loss(const at::Tensor& logits, const at::Tensor& ranges,
                                  const LatticeLabels& labels, const SimpleLossOptions& options) {
  if (logits.dim() != 4 || ranges.sizes() != logits.sizes().slice(0, 3))
    throw UserError(fmt::format("logits {} and ranges {} do not fit together", shape_text(logits),
                                shape_text(ranges)),
                    "give (B, T, W, V) and (B, T, W)");
  check_inputs(logits, labels, options.blank);
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
  return lattice_loss(arcs, labels, options.topology);
}

}  // namespace scion
