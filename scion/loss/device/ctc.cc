#include <c10/core/DeviceGuard.h>

#include "scion/core/device/capsule.h"
#include "scion/loss/device/solve.h"
#include "scion/loss/lattice/checks.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// The state of the CTC loss that its two halves share.
struct DeviceCtc {
  const LossDevice& device;
  PackedBatch packed;
  int64_t blank;
  at::Tensor log_sum;          // (B, T) float
  at::Tensor sums;             // (2 or 1, B, T, 2U + 1) double: alpha, beta
  at::Tensor log_probability;  // (B) double

  DeviceCtc(const LossDevice& on, const LatticeBatch& batch, const at::Tensor& logits, bool flows)
      : device(on), packed(batch, logits.device()), blank(batch.blank()) {
    const auto doubles = logits.options().dtype(at::kDouble);
    log_sum = at::empty({batch.size(), batch.max_frames()}, logits.options());
    sums = at::empty({flows ? 2 : 1, batch.size(), batch.max_frames(), 2 * batch.max_states() - 1},
                     doubles);
    log_probability = at::empty({batch.size()}, doubles);
  }

  CtcArguments arguments(const at::Tensor& logits) const {
    auto* const alpha = sums.mutable_data_ptr<double>();
    return {.lattices = packed.view(),
            .logits = logits.const_data_ptr<float>(),
            .classes = logits.size(2),
            .blank = blank,
            .log_sum = log_sum.mutable_data_ptr<float>(),
            .alpha = alpha,
            .beta = sums.size(0) == 2 ? alpha + sums.stride(0) : nullptr,
            .log_probability = log_probability.mutable_data_ptr<double>()};
  }

  at::Tensor solve(const at::Tensor& logits) const {
    at::Tensor losses = at::empty({logits.size(0)}, logits.options());
    CtcArguments a = arguments(logits);
    a.losses = losses.mutable_data_ptr<float>();
    at::Tensor lines;
    if (a.line_bytes() > kSharedBytes) {
      lines = at::empty({logits.size(0) * a.passes() * 2 * a.states()}, sums.options());
      a.lines = lines.mutable_data_ptr<double>();
    }
    device.kernels.ctc_lattices(a, device.stream());
    return losses;
  }
};

class DeviceCtcLoss : public Function<DeviceCtcLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& logits,
                            const LossDevice* device, const LatticeBatch& batch, bool gradient) {
    const c10::DeviceGuard guard(logits.device());
    const at::Tensor values = logits.contiguous();
    DeviceCtc ctc(*device, batch, values, gradient);
    const at::Tensor losses = ctc.solve(values);
    if (gradient) {
      ctx->save_for_backward({values});
      keep(ctx, std::move(ctc));
    }
    return losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const at::Tensor logits = ctx->get_saved_variables()[0];
    const c10::DeviceGuard guard(logits.device());
    const auto& ctc = kept<DeviceCtc>(ctx);
    const at::Tensor weights = upstream[0].to(at::kFloat).contiguous();
    const at::Tensor gradient = at::empty_like(logits);
    CtcArguments a = ctc.arguments(logits);
    a.weights = weights.const_data_ptr<float>();
    a.gradient = gradient.mutable_data_ptr<float>();
    ctc.device.kernels.ctc_gradient(a, ctc.device.stream());
    return {gradient, {}, {}, {}};
  }
};

}  // namespace

at::Tensor device_ctc_loss(const LossDevice& device, const at::Tensor& logits,
                           const LatticeBatch& batch) {
  return DeviceCtcLoss::apply(logits, &device, batch, needs_gradient({logits}));
}

}  // namespace scion
