#include "scion/loss/given_loss.h"

#include "scion/core/error.h"
#include "scion/core/tensor_text.h"
#include "scion/loss/cpu/given.h"
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

}  // namespace

LatticeBatch check_given(const at::Tensor& values, const char* name, const LatticeLabels& labels,
                         const LatticeRules& rules) {
  check_float_type(values, name);
  const at::Tensor& tokens = labels.tokens;
  if (values.dim() != 4 || tokens.dim() != 2 || values.size(2) != tokens.size(1) + 1) {
    throw UserError(fmt::format("{} {} and tokens {} do not fit together", name, shape_text(values),
                                shape_text(tokens)),
                    "give (B, T, U+1, V) and (B, U)");
  }
  return check_lattice_batch(values.size(0), values.size(1), token_classes(values.size(3), rules),
                             labels, rules);
}

at::Tensor given_loss(const at::Tensor& values, const LatticeBatch& batch, bool normalised) {
  return GivenLoss::apply(values, batch, normalised, needs_gradient({values}));
}

}  // namespace scion
