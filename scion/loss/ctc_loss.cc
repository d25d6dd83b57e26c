#include "scion/loss/ctc_loss.h"

#include "scion/core/error.h"
#include "scion/loss/cpu/ctc.h"
#include "scion/loss/device/dispatch.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class CtcLoss : public torch::autograd::Function<CtcLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& logits,
                            const LatticeBatch& batch, bool gradient) {
    const at::Tensor values = logits.contiguous();
    CtcSolution solution = solve_ctc_cpu(batch, values, gradient);
    if (gradient) {
      // A copy of the losses: the caller owns the ones that are returned.
      ctx->save_for_backward({values, batch.tokens(), batch.frames(), batch.states(),
                              solution.losses.clone(), solution.log_sums, solution.occupancy});
      ctx->saved_data["blank"] = batch.blank();
    }
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const LatticeBatch batch(saved[1], saved[2], saved[3], saved[0].size(1),
                             {.blank = ctx->saved_data["blank"].toInt()});
    const CtcSolution solution{saved[4], saved[5], saved[6]};
    return {ctc_gradient_cpu(batch, saved[0], solution, upstream[0]), {}, {}};
  }
};

}  // namespace

at::Tensor ctc_loss(const at::Tensor& logits, const at::Tensor& tokens,
                    const at::Tensor& frame_lengths, const at::Tensor& token_lengths,
                    int64_t blank) {
  if (logits.dim() != 3 || !logits.is_floating_point()) {
    throw UserError(fmt::format("CTC logits have {} dimensions and type {}", logits.dim(),
                                at::toString(logits.scalar_type())),
                    "give (B, T, V) float");
  }
  const LatticeBatch batch =
      check_lattice_batch(logits.size(0), logits.size(1), logits.size(2), tokens, frame_lengths,
                          token_lengths, {.blank = blank});
  const at::Tensor values = logits.to(at::kFloat);
  if (const LossDevice* const device = find_loss_device({values}))
    return device_ctc_loss(*device, values, batch);
  return CtcLoss::apply(values, batch, at::GradMode::is_enabled() && values.requires_grad());
}

}  // namespace scion
