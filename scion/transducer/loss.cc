#include "scion/transducer/loss.h"

#include "scion/core/error.h"
#include "scion/transducer/distillation.h"
#include "scion/transducer/lattice.h"
#include "scion/transducer/loss_cpu.h"
#include "scion/transducer/loss_device.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// A batch among an operation's saved tensors: the last three, and some numbers.
void save(AutogradContext* ctx, const LatticeBatch& batch, variable_list tensors) {
  tensors.insert(tensors.end(), {batch.tokens(), batch.frames(), batch.states()});
  ctx->save_for_backward(std::move(tensors));
  ctx->saved_data["max_frames"] = batch.max_frames();
  ctx->saved_data["blank"] = batch.blank();
  ctx->saved_data["fast_emit"] = batch.rules().fast_emit;
  ctx->saved_data["delay_penalty"] = batch.rules().delay_penalty;
}

LatticeBatch saved_batch(AutogradContext* ctx, const variable_list& saved) {
  const size_t last = saved.size();
  const LatticeRules rules{ctx->saved_data["blank"].toInt(),
                           ctx->saved_data["fast_emit"].toDouble(),
                           ctx->saved_data["delay_penalty"].toDouble()};
  return {saved[last - 3], saved[last - 2], saved[last - 1], ctx->saved_data["max_frames"].toInt(),
          rules};
}

LatticeRules rules_of(const TransducerLossOptions& options) {
  return {options.blank, options.fast_emit, options.delay_penalty};
}

class LogitsLoss : public Function<LogitsLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& logits,
                            const LatticeBatch& batch, bool gradient) {
    const at::Tensor values = logits.contiguous();
    LatticeSolution solution = solve_from_logits_cpu(batch, values, gradient);
    if (gradient) save(ctx, batch, {values, solution.terms});
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const LatticeBatch batch = saved_batch(ctx, saved);
    return {logits_gradient_cpu(batch, saved[0], saved[1], upstream[0]), {}, {}};
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
           {encoder, predictor, weight, bias, solution.lattice.terms, solution.kept_logits,
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

}  // namespace

at::Tensor transducer_loss(const at::Tensor& logits, const at::Tensor& tokens,
                           const at::Tensor& frame_lengths, const at::Tensor& token_lengths,
                           const TransducerLossOptions& options) {
  check_float_type(logits, "logits");
  if (logits.dim() != 4 || tokens.dim() != 2 || logits.size(2) != tokens.size(1) + 1) {
    throw UserError(fmt::format("logits {} and tokens {} do not fit together", shape_text(logits),
                                shape_text(tokens)),
                    "give (B, T, U+1, V) and (B, U)");
  }
  const LatticeBatch batch =
      check_lattice_batch(logits.size(0), logits.size(1), logits.size(3), tokens, frame_lengths,
                          token_lengths, rules_of(options));
  if (const LossDevice* const device = find_loss_device({logits}))
    return device_transducer_loss(*device, logits, batch);
  return LogitsLoss::apply(logits, batch, wants_gradient({logits}));
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
  if (!encoder.is_cpu()) {
    const at::Tensor hidden = at::tanh(encoder.unsqueeze(2) + predictor.unsqueeze(1));
    return {joiner_transducer_loss(encoder, predictor, weight, bias, tokens, frame_lengths,
                                   token_lengths, options),
            node_divergence(at::linear(hidden, weight, bias), tokens, token_lengths, targets,
                            options.blank)};
  }
  const LatticeBatch batch =
      check_lattice_batch(encoder.size(0), encoder.size(1), weight.size(0), tokens, frame_lengths,
                          token_lengths, rules_of(options));
  const variable_list losses =
      JoinerLoss::apply(encoder, predictor, weight, bias, batch, targets,
                        JoinerSettings{options.bf16, options.workspace_bytes},
                        wants_gradient({encoder, predictor, weight, bias}));
  return {losses[0], losses[1]};
}

}  // namespace scion
