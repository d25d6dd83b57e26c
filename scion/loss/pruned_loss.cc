#include "scion/loss/pruned_loss.h"

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/tensor_text.h"
#include "scion/loss/composed.h"
#include "scion/loss/cpu/simple.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/joiner_loss.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/lattice_loss.h"
#include "scion/loss/saved_batch.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

LatticeBatch check_inputs(const at::Tensor& values, const LatticeLabels& labels,
                          const SimpleLossOptions& options) {
  return check_lattice_batch(values.size(0), values.size(1), values.size(-1), labels,
                             rules_of(options));
}

at::Tensor at_least_float(const at::Tensor& values) {
  return values.scalar_type() == at::kDouble ? values : values.to(at::kFloat);
}

/// The band of `ranges` (B, T, W). UserError on invalid ranges within an utterance's frames.
LatticeBatch check_band(const LatticeBatch& batch, const at::Tensor& ranges) {
  const at::Tensor states = ranges.to(at::kCPU, at::kLong).contiguous();
  const at::Tensor first = states.select(2, 0).contiguous();
  const int64_t frames = states.size(1), width = states.size(2);
  const auto* const state = states.const_data_ptr<int64_t>();
  for (int64_t b = 0; b < batch.size(); ++b)
    for (int64_t t = 0; t < batch.frames_of(b); ++t) {
      const auto* const row = state + (b * frames + t) * width;
      bool right = row[0] >= 0 && row[0] + width <= batch.max_states();
      for (int64_t i = 1; i < width; ++i) right = right && row[i] == row[0] + i;
      if (!right)
        throw UserError(fmt::format("the states of frame {} of utterance {} are {}", t, b,
                                    fmt::join(row, row + width, " ")),
                        fmt::format("they must ascend by one in 0 … {}", batch.max_states() - 1));
    }
  return batch.band(first, width);
}

/// The first window of each frame whose weight (…, windows) is as high as any but for rounding.
/// Where the flow is concentrated, several windows have nearly all of it, and weights differ by the
/// rounding of their sums: the greatest alone would be another one on another device.
at::Tensor first_of_the_best(const at::Tensor& weights) {
  constexpr double kRounding = 1e-4;  // of flows up to 1, summed in float along a lattice
  const at::Tensor highest = weights.amax(-1, true);
  return weights.ge(highest - kRounding).to(at::kByte).argmax(-1);
}

/// out[i] = the smallest of x[i], x[i+1], … along the last dimension.
at::Tensor lower_bound(const at::Tensor& x) {
  return std::get<0>(x.flip({-1}).cummin(-1)).flip({-1});
}

/// The first pass on the CPU. Writes arcs and flows into `rest`.
class SimplePass : public Function<SimplePass> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& am, const at::Tensor& lm,
                            const LatticeBatch& batch, const SimpleLossOptions& options,
                            SimpleLoss* rest) {
    const SimpleInputs inputs{am.contiguous(), lm.contiguous()};
    SimpleSolution solution = solve_simple_cpu(batch, inputs, options);
    rest->arcs = solution.arcs;
    rest->flows = solution.flows;
    save_with_batch(
        ctx, batch,
        {inputs.am, inputs.lm, solution.terms, solution.log_sums.am, solution.log_sums.lm});
    ctx->saved_data["lm_only_scale"] = options.lm_only_scale;
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const LatticeBatch batch = saved_batch(ctx, saved);
    const SimpleInputs gradients = simple_gradients_cpu(
        batch, {saved[0], saved[1]}, saved[2], {saved[3], saved[4]}, upstream[0],
        {.blank = batch.blank(), .lm_only_scale = ctx->saved_data["lm_only_scale"].toDouble()});
    return {gradients.am, gradients.lm, {}, {}, {}};
  }
};

SimpleLoss fused_simple_loss(const at::Tensor& am, const at::Tensor& lm, const LatticeBatch& batch,
                             const SimpleLossOptions& options) {
  SimpleLoss simple;
  simple.losses = SimplePass::apply(am, lm, batch, options, &simple);
  return simple;
}

}  // namespace

SimpleLoss simple_transducer_loss(const at::Tensor& given_am, const at::Tensor& given_lm,
                                  const LatticeLabels& labels, const SimpleLossOptions& options) {
  const at::Tensor am = at_least_float(given_am), lm = given_lm.to(am.scalar_type());
  if (am.dim() != 3 || lm.dim() != 3 || am.size(2) != lm.size(2) || am.size(0) != lm.size(0) ||
      labels.tokens.dim() != 2 || lm.size(1) != labels.tokens.size(1) + 1)
    throw UserError(fmt::format("am {}, lm {} and tokens {} do not fit together", shape_text(am),
                                shape_text(lm), shape_text(labels.tokens)),
                    "give (B, T, V), (B, U+1, V) and (B, U)");
  const LatticeBatch batch = check_inputs(am, labels, options);
  const bool fused = am.is_cpu() && am.scalar_type() == at::kFloat && options.am_only_scale == 0;
  return fused ? fused_simple_loss(am, lm, batch, options)
               : composed_simple_loss(am, lm, labels, options);
}

at::Tensor pruning_ranges(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology,
                          int64_t width) {
  return ranges_of_flows(lattice_flows(arcs, labels, topology), labels, topology, width);
}

at::Tensor ranges_of_flows(const LatticeArcs& flows, const LatticeLabels& labels, Topology topology,
                           int64_t width) {
  const bool regular = topology == Topology::regular;
  if (width < (regular ? 2 : 1))
    throw UserError(fmt::format("a pruned lattice of {} states a frame", width),
                    regular ? "give at least 2: a state and the one that its label leads to"
                            : "give at least 1");
  const int64_t frames = flows.blank.size(1), states = flows.blank.size(2);
  width = std::min(width, states);
  // The flow from a window's states to the next frame, minus the flow that a label brings to its
  // first state: the part that starting elsewhere would lose.
  const at::Tensor through = flows.blank.unfold(2, width, 1).sum(-1);
  const at::Tensor entering =
      at::constant_pad_nd(flows.label, {1, 0}).narrow(2, 0, states - width + 1);
  at::Tensor first = first_of_the_best(through - entering);  // (B, T)

  const at::Tensor frame = at::arange(frames, first.options()).unsqueeze(0);
  const at::Tensor lengths = upload(labels.frame_lengths, first.device()).unsqueeze(1);
  const at::Tensor at_the_end =
      (upload(labels.token_lengths, first.device()) - width + 1).clamp_min(0).unsqueeze(1);
  first = at::where(frame.lt(lengths - 1), first, at_the_end);
  // Never back, and never by more than `step` states ahead.
  const int64_t step = regular ? width - 1 : 1;
  first = lower_bound(first);
  first = -lower_bound(step * frame - first).clamp_min(0) + step * frame;
  return first.unsqueeze(2) + at::arange(width, first.options());
}

at::Tensor pruned_joiner_loss(const JoinerInputs& joiner, const at::Tensor& ranges,
                              const LatticeLabels& labels, const TransducerLossOptions& options) {
  const auto& [encoder, predictor, weight, bias, activation] = joiner;
  const LatticeBatch batch = check_joiner_batch(joiner, labels, rules_of(options));
  if (ranges.dim() != 3 || ranges.size(2) < 1 || ranges.size(2) > predictor.size(1) ||
      ranges.sizes().slice(0, 2) != encoder.sizes().slice(0, 2))
    throw UserError(fmt::format("encoder {}, predictor {} and ranges {} do not fit together",
                                shape_text(encoder), shape_text(predictor), shape_text(ranges)),
                    "give (B, T, D), (B, U+1, D) and (B, T, W), W of the U + 1 states");
  const LossDevice* const device = find_loss_device({encoder, predictor, weight, bias});
  if (device == nullptr || ranges.is_cpu())
    return fused_joiner_loss(joiner, check_band(batch, ranges), settings_of(options));
  return device_pruned_joiner_loss(*device, joiner, ranges.to(encoder.device()), batch,
                                   settings_of(options));
}

at::Tensor pruned_transducer_loss(const at::Tensor& logits, const at::Tensor& ranges,
                                  const LatticeLabels& labels, const SimpleLossOptions& options) {
  if (logits.dim() != 4 || ranges.sizes() != logits.sizes().slice(0, 3))
    throw UserError(fmt::format("logits {} and ranges {} do not fit together", shape_text(logits),
                                shape_text(ranges)),
                    "give (B, T, W, V) and (B, T, W)");
  check_inputs(logits, labels, options);
  return composed_pruned_loss(at_least_float(logits), ranges, labels, options);
}

}  // namespace scion
