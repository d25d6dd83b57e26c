#include "scion/loss/transducer_loss.h"

#include "scion/core/error.h"
#include "scion/core/tensor_text.h"
#include "scion/loss/cpu/given.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/joiner_loss.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/saved_batch.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// From logits or, if `normalised`, from log-probabilities, on the CPU.
class GivenLoss : public Function<GivenLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given,
                            const LatticeBatch& batch, bool normalised, bool gradient) {
    const at::Tensor values = given.contiguous();
    LatticeSolution solution =
        (normalised ? solve_from_log_probs_cpu : solve_from_logits_cpu)(batch, values, gradient);
    ctx->saved_data["normalised"] = normalised;
    if (gradient) save_with_batch(ctx, batch, {values, solution.terms});
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const auto gradient =
        ctx->saved_data["normalised"].toBool() ? log_probs_gradient_cpu : logits_gradient_cpu;
    return {gradient(saved_batch(ctx, saved), saved[0], saved[1], upstream[0]), {}, {}, {}};
  }
};

/// The batch of values (B, T, U+1, V).
LatticeBatch check_given(const at::Tensor& values, const char* name, const LatticeLabels& labels,
                         const TransducerLossOptions& options) {
  check_float_type(values, name);
  const at::Tensor& tokens = labels.tokens;
  if (values.dim() != 4 || tokens.dim() != 2 || values.size(2) != tokens.size(1) + 1) {
    throw UserError(fmt::format("{} {} and tokens {} do not fit together", name, shape_text(values),
                                shape_text(tokens)),
                    "give (B, T, U+1, V) and (B, U)");
  }
  return check_lattice_batch(values.size(0), values.size(1), values.size(3), labels,
                             rules_of(options));
}

}  // namespace

at::Tensor transducer_loss(const at::Tensor& logits, const LatticeLabels& labels,
                           const TransducerLossOptions& options) {
  const LatticeBatch batch = check_given(logits, "logits", labels, options);
  if (const LossDevice* const device = find_loss_device({logits}))
    return device_transducer_loss(*device, logits, batch);
  return GivenLoss::apply(logits, batch, /*normalised=*/false, needs_gradient({logits}));
}

at::Tensor transducer_loss_from_log_probs(const at::Tensor& log_probs, const LatticeLabels& labels,
                                          const TransducerLossOptions& options) {
  const LatticeBatch batch = check_given(log_probs, "log-probabilities", labels, options);
  if (const LossDevice* const device = find_loss_device({log_probs}))
    return device_log_probs_loss(*device, log_probs, batch);
  return GivenLoss::apply(log_probs, batch, /*normalised=*/true, needs_gradient({log_probs}));
}

at::Tensor joiner_transducer_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                                  const TransducerLossOptions& options) {
  const LatticeBatch batch = check_joiner_batch(joiner, labels, rules_of(options));
  return fused_joiner_loss(joiner, batch, settings_of(options));
}

DistilledLoss distilled_joiner_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                                    const NodeTargets& targets,
                                    const TransducerLossOptions& options) {
  const LatticeBatch batch = check_joiner_batch(joiner, labels, rules_of(options));
  return fused_distilled_loss(joiner, batch, targets, settings_of(options));
}

}  // namespace scion
