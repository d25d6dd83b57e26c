#include "scion/loss/transducer_loss.h"

#include "scion/core/error.h"
#include "scion/loss/cpu/given.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/distillation.h"
#include "scion/loss/lattice/lattice.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// A batch among an operation's saved tensors: the last four, and some numbers. What the flows have
/// seen of the rules, a backward pass does not need again.
void save(AutogradContext* ctx, const LatticeBatch& batch, variable_list tensors) {
  tensors.insert(tensors.end(), {batch.tokens(), batch.frames(), batch.states(), batch.first()});
  ctx->save_for_backward(std::move(tensors));
  ctx->saved_data["max_frames"] = batch.max_frames();
  ctx->saved_data["width"] = batch.max_width();
  ctx->saved_data["blank"] = batch.blank();
}

LatticeBatch saved_batch(AutogradContext* ctx, const variable_list& saved) {
  const size_t last = saved.size();
  const LatticeBatch batch(saved[last - 4], saved[last - 3], saved[last - 2],
                           ctx->saved_data["max_frames"].toInt(),
                           {.blank = ctx->saved_data["blank"].toInt()});
  if (!saved[last - 1].defined()) return batch;
  return batch.band(saved[last - 1], ctx->saved_data["width"].toInt());
}

LatticeRules rules_of(const TransducerLossOptions& options) {
  return {options.blank, options.fast_emit, options.delay_penalty, options.topology};
}

/// From logits or, `normalised`, from log-probabilities.
class GivenLoss : public Function<GivenLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given,
                            const LatticeBatch& batch, bool normalised, bool gradient) {
    const at::Tensor values = given.contiguous();
    LatticeSolution solution =
        (normalised ? solve_from_log_probs_cpu : solve_from_logits_cpu)(batch, values, gradient);
    ctx->saved_data["normalised"] = normalised;
    if (gradient) save(ctx, batch, {values, solution.terms});
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const auto gradient =
        ctx->saved_data["normalised"].toBool() ? log_probs_gradient_cpu : logits_gradient_cpu;
    return {gradient(saved_batch(ctx, saved), saved[0], saved[1], upstream[0]), {}, {}, {}};
  }
};

/// Losses, and with targets the divergences, (B) each.
class JoinerLoss : public Function<JoinerLoss> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& encoder,
                               const at::Tensor& predictor, const at::Tensor& weight,
                               const at::Tensor& bias, const LatticeBatch& batch,
                               const NodeTargets& targets, const JoinerSettings& settings,
                               bool gradient) {
    const JoinerTensors joiner = as_float({encoder, predictor, weight, bias});
    const TargetNodes nodes = target_nodes(batch, targets);
    JoinerSolution solution = solve_from_joiner_cpu(batch, joiner, gradient, settings, nodes);
    ctx->saved_data["bf16"] = settings.bf16;
    ctx->saved_data["workspace_bytes"] = settings.workspace_bytes;
    if (gradient) {
      save(ctx, batch,
           {encoder, predictor, weight, bias, solution.lattice.terms, solution.kept,
            targets.probabilities, targets.weights});
    }
    if (!nodes) return {solution.lattice.losses};
    return {solution.lattice.losses, solution.lattice.divergences};
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const LatticeBatch batch = saved_batch(ctx, saved);
    const JoinerTensors joiner = as_float({saved[0], saved[1], saved[2], saved[3]});
    const JoinerTensors gradients =
        joiner_gradients_cpu(batch, joiner, {{{}, {}, saved[4]}, saved[5]},
                             {upstream[0], upstream.size() > 1 ? upstream[1] : at::Tensor()},
                             {.bf16 = ctx->saved_data["bf16"].toBool(),
                              .workspace_bytes = ctx->saved_data["workspace_bytes"].toInt()},
                             target_nodes(batch, {saved[6], saved[7]}));
    return {gradients.encoder.to(saved[0].scalar_type()),
            gradients.predictor.to(saved[1].scalar_type()),
            gradients.weight.to(saved[2].scalar_type()),
            gradients.bias.to(saved[3].scalar_type()),
            {},
            {},
            {},
            {}};
  }

 private:
  static TargetNodes target_nodes(const LatticeBatch& batch, const NodeTargets& targets) {
    return targets.weights.defined() ? TargetNodes(batch, targets) : TargetNodes();
  }
  static at::Tensor as_float(const at::Tensor& tensor) {
    return tensor.to(at::kFloat).contiguous();
  }
  static JoinerTensors as_float(const JoinerTensors& joiner) {
    return {as_float(joiner.encoder), as_float(joiner.predictor), as_float(joiner.weight),
            as_float(joiner.bias)};
  }
};

/// The batch that goes with values (B, T, U+1, V).
LatticeBatch check_given(const at::Tensor& values, const char* name, const at::Tensor& tokens,
                         const at::Tensor& frame_lengths, const at::Tensor& token_lengths,
                         const TransducerLossOptions& options) {
  check_float_type(values, name);
  if (values.dim() != 4 || tokens.dim() != 2 || values.size(2) != tokens.size(1) + 1) {
    throw UserError(fmt::format("{} {} and tokens {} do not fit together", name, shape_text(values),
                                shape_text(tokens)),
                    "give (B, T, U+1, V) and (B, U)");
  }
  return check_lattice_batch(values.size(0), values.size(1), values.size(3), tokens, frame_lengths,
                             token_lengths, rules_of(options));
}

}  // namespace

at::Tensor transducer_loss(const at::Tensor& logits, const at::Tensor& tokens,
                           const at::Tensor& frame_lengths, const at::Tensor& token_lengths,
                           const TransducerLossOptions& options) {
  const LatticeBatch batch =
      check_given(logits, "logits", tokens, frame_lengths, token_lengths, options);
  if (const LossDevice* const device = find_loss_device({logits}))
    return device_transducer_loss(*device, logits, batch);
  return GivenLoss::apply(logits, batch, /*normalised=*/false, wants_gradient({logits}));
}

at::Tensor transducer_loss_from_log_probs(const at::Tensor& log_probs, const at::Tensor& tokens,
                                          const at::Tensor& frame_lengths,
                                          const at::Tensor& token_lengths,
                                          const TransducerLossOptions& options) {
  const LatticeBatch batch =
      check_given(log_probs, "log-probabilities", tokens, frame_lengths, token_lengths, options);
  if (const LossDevice* const device = find_loss_device({log_probs}))
    return device_log_probs_loss(*device, log_probs, batch);
  return GivenLoss::apply(log_probs, batch, /*normalised=*/true, wants_gradient({log_probs}));
}

at::Tensor joiner_transducer_loss(const at::Tensor& encoder, const at::Tensor& predictor,
                                  const at::Tensor& weight, const at::Tensor& bias,
                                  const at::Tensor& tokens, const at::Tensor& frame_lengths,
                                  const at::Tensor& token_lengths,
                                  const TransducerLossOptions& options) {
  check_joiner_shapes(encoder, predictor, weight, bias, tokens);
  const LatticeBatch batch =
      check_lattice_batch(encoder.size(0), encoder.size(1), weight.size(0), tokens, frame_lengths,
                          token_lengths, rules_of(options));
  if (const LossDevice* const device = find_loss_device({encoder, predictor, weight, bias}))
    return device_joiner_loss(*device, encoder, predictor, weight, bias, batch, options.bf16,
                              options.workspace_bytes);
  return fused_joiner_loss({encoder, predictor, weight, bias}, batch, options);
}

at::Tensor fused_joiner_loss(const JoinerTensors& joiner, const LatticeBatch& batch,
                             const TransducerLossOptions& options) {
  const auto& [encoder, predictor, weight, bias] = joiner;
  return JoinerLoss::apply(encoder, predictor, weight, bias, batch, NodeTargets(),
                           JoinerSettings{options.bf16, options.workspace_bytes},
                           wants_gradient({encoder, predictor, weight, bias}))[0];
}

DistilledLoss distilled_joiner_loss(const at::Tensor& encoder, const at::Tensor& predictor,
                                    const at::Tensor& weight, const at::Tensor& bias,
                                    const at::Tensor& tokens, const at::Tensor& frame_lengths,
                                    const at::Tensor& token_lengths, const NodeTargets& targets,
                                    const TransducerLossOptions& options) {
  check_joiner_shapes(encoder, predictor, weight, bias, tokens);
  const LatticeBatch batch =
      check_lattice_batch(encoder.size(0), encoder.size(1), weight.size(0), tokens, frame_lengths,
                          token_lengths, rules_of(options));
  if (const LossDevice* const device = find_loss_device({encoder, predictor, weight, bias}))
    return device_distilled_loss(*device, encoder, predictor, weight, bias, batch, targets,
                                 options.bf16, options.workspace_bytes);
  const variable_list losses =
      JoinerLoss::apply(encoder, predictor, weight, bias, batch, targets,
                        JoinerSettings{options.bf16, options.workspace_bytes},
                        wants_gradient({encoder, predictor, weight, bias}));
  return {losses[0], losses[1]};
}

}  // namespace scion
