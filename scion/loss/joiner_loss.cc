#include "scion/loss/joiner_loss.h"

#include "scion/loss/cpu/joiner.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/saved_batch.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor as_float(const at::Tensor& tensor) { return tensor.to(at::kFloat).contiguous(); }

JoinerInputs as_float(const at::Tensor& encoder, const at::Tensor& predictor,
                      const at::Tensor& weight, const at::Tensor& bias,
                      JoinerActivation activation) {
  return {as_float(encoder), as_float(predictor), as_float(weight), as_float(bias), activation};
}

TargetNodes target_nodes(const LatticeBatch& batch, const NodeTargets& targets) {
  return targets.weights.defined() ? TargetNodes(batch, targets) : TargetNodes();
}

/// Losses (B) and, with targets, divergences (B), on the CPU.
class JoinerLoss : public Function<JoinerLoss> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& encoder,
                               const at::Tensor& predictor, const at::Tensor& weight,
                               const at::Tensor& bias, JoinerActivation activation,
                               const LatticeBatch& batch, const NodeTargets& targets,
                               const JoinerSettings& settings, bool gradient) {
    const JoinerInputs joiner = as_float(encoder, predictor, weight, bias, activation);
    const TargetNodes nodes = target_nodes(batch, targets);
    JoinerSolution solution = solve_from_joiner_cpu(batch, joiner, gradient, settings, nodes);
    ctx->saved_data["relu"] = activation == JoinerActivation::relu;
    ctx->saved_data["bf16"] = settings.bf16;
    ctx->saved_data["workspace_bytes"] = settings.workspace_bytes;
    if (gradient) {
      save_with_batch(ctx, batch,
                      {encoder, predictor, weight, bias, solution.terms, solution.kept,
                       targets.probabilities, targets.weights});
    }
    if (!nodes) return {solution.losses};
    return {solution.losses, solution.divergences};
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const LatticeBatch batch = saved_batch(ctx, saved);
    const JoinerActivation activation =
        ctx->saved_data["relu"].toBool() ? JoinerActivation::relu : JoinerActivation::tanh;
    const JoinerInputs joiner = as_float(saved[0], saved[1], saved[2], saved[3], activation);
    const JoinerInputs gradients =
        joiner_gradients_cpu(batch, joiner, saved[4], saved[5],
                             {upstream[0], upstream.size() > 1 ? upstream[1] : at::Tensor()},
                             {.bf16 = ctx->saved_data["bf16"].toBool(),
                              .workspace_bytes = ctx->saved_data["workspace_bytes"].toInt()},
                             target_nodes(batch, {saved[6], saved[7]}));
    variable_list result(9);
    result[0] = gradients.encoder.to(saved[0].scalar_type());
    result[1] = gradients.predictor.to(saved[1].scalar_type());
    result[2] = gradients.weight.to(saved[2].scalar_type());
    result[3] = gradients.bias.to(saved[3].scalar_type());
    return result;
  }
};

const LossDevice* device_of(const JoinerInputs& joiner) {
  return find_loss_device({joiner.encoder, joiner.predictor, joiner.weight, joiner.bias});
}

}  // namespace

at::Tensor fused_joiner_loss(const JoinerInputs& joiner, const LatticeBatch& batch,
                             const JoinerSettings& settings) {
  if (const LossDevice* const device = device_of(joiner))
    return device_joiner_loss(*device, joiner, batch, settings);
  return JoinerLoss::apply(joiner.encoder, joiner.predictor, joiner.weight, joiner.bias,
                           joiner.activation, batch, NodeTargets(), settings,
                           needs_gradient(joiner))[0];
}

DistilledLoss fused_distilled_loss(const JoinerInputs& joiner, const LatticeBatch& batch,
                                   const NodeTargets& targets, const JoinerSettings& settings) {
  if (const LossDevice* const device = device_of(joiner))
    return device_distilled_loss(*device, joiner, batch, targets, settings);
  const variable_list losses =
      JoinerLoss::apply(joiner.encoder, joiner.predictor, joiner.weight, joiner.bias,
                        joiner.activation, batch, targets, settings, needs_gradient(joiner));
  return {losses[0], losses[1]};
}

}  // namespace scion
