#include "scion/loss/ctc_loss.h"

#include "scion/core/error.h"
#include "scion/loss/cpu/ctc.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/saved_batch.h"

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
    // A copy of the losses: the caller owns the returned ones.
    if (gradient) {
      save_with_batch(ctx, batch,
                      {values, solution.losses.clone(), solution.log_sums, solution.occupancy});
    }
    return solution.losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const variable_list saved = ctx->get_saved_variables();
    const LatticeBatch batch = saved_batch(ctx, saved);
    return {ctc_gradient_cpu(batch, saved[0], {saved[1], saved[2], saved[3]}, upstream[0]), {}, {}};
  }
};

}  // namespace

at::Tensor ctc_loss(const at::Tensor& logits, const LatticeLabels& labels, int64_t blank) {
  if (logits.dim() != 3 || !logits.is_floating_point()) {
    throw UserError(fmt::format("CTC logits have {} dimensions and type {}", logits.dim(),
                                at::toString(logits.scalar_type())),
                    "give (B, T, V) float");
  }
  const LatticeBatch batch =
      check_lattice_batch(logits.size(0), logits.size(1), logits.size(2), labels, {.blank = blank});
  const at::Tensor values = logits.to(at::kFloat);
  if (const LossDevice* const device = find_loss_device({values}))
    return device_ctc_loss(*device, values, batch);
  return CtcLoss::apply(values, batch, needs_gradient({values}));
}

}  // namespace scion
