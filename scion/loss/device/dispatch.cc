#include "scion/loss/device/dispatch.h"

#include <c10/core/DeviceGuard.h>

#include "scion/core/device.h"
#include "scion/core/device/capsule.h"
#include "scion/core/error.h"
#include "scion/loss/device/solve.h"
#include "scion/loss/lattice/checks.h"

#if SCION_CUDA
#include "scion/loss/device/dispatch_cuda.h"
#endif

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// ---- from logits --------------------------------------------------------------------------------

LogitsRows padded_rows(const at::Tensor& logits) {
  return {logits.const_data_ptr(), number_of(logits), logits.size(3), true};
}

class DeviceLogitsLoss : public Function<DeviceLogitsLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& logits,
                            const LossDevice* device, const LatticeBatch& batch, bool normalised,
                            bool gradient) {
    const c10::DeviceGuard guard(logits.device());
    const at::Tensor values = logits.contiguous();
    Solve solve(*device, batch, values.device());
    TermsArguments terms = solve.terms_arguments(padded_rows(values), values.size(3));
    terms.normalised = normalised;
    device->kernels.node_terms(terms, device->stream());
    const at::Tensor losses = solve.solve_lattices(gradient);
    if (gradient) {
      ctx->save_for_backward({values});
      ctx->saved_data["normalised"] = normalised;
      keep(ctx, std::move(solve));
    }
    return losses;
  }

  static variable_list backward(AutogradContext* ctx, variable_list upstream) {
    const at::Tensor logits = ctx->get_saved_variables()[0];
    const c10::DeviceGuard guard(logits.device());
    const auto& solve = kept<Solve>(ctx);
    const at::Tensor weights = upstream[0].to(at::kFloat).contiguous();
    at::Tensor gradient = at::empty_like(logits);
    const int64_t classes = logits.size(3);
    solve.device.kernels.logits_gradient({.lattices = solve.packed.view(),
                                          .logits = padded_rows(logits),
                                          .classes = classes,
                                          .blank = solve.batch.blank(),
                                          .count = logits.numel() / classes,
                                          .terms = solve.terms_view(),
                                          .weights = weights.const_data_ptr<float>(),
                                          .normalised = ctx->saved_data["normalised"].toBool(),
                                          .type = number_of(logits),
                                          .gradient = gradient.mutable_data_ptr(),
                                          .stride = classes,
                                          .columns = classes},
                                         solve.device.stream());
    return {gradient, {}, {}, {}, {}};
  }
};

}  // namespace

const LossDevice* find_loss_device(std::initializer_list<at::Tensor> tensors) {
  const at::Device where = tensors.begin()->device();
  for (const at::Tensor& tensor : tensors)
    if (tensor.device() != where)
      throw UserError(fmt::format("tensors of one loss are on {} and on {}", where.str(),
                                  tensor.device().str()),
                      "move them to one device");
  if (where.is_cpu()) return nullptr;
#if SCION_CUDA
  if (where.is_cuda()) return &cuda_loss_device();
#endif
  throw UserError(fmt::format("this scion has no transducer loss for tensors on {}", where.str()),
                  "move them to the CPU, or use a build with CUDA (-D SCION_CUDA=ON, 'make cuda')");
}

at::Tensor device_transducer_loss(const LossDevice& device, const at::Tensor& logits,
                                  const LatticeBatch& batch) {
  return DeviceLogitsLoss::apply(logits, &device, batch, /*normalised=*/false,
                                 needs_gradient({logits}));
}

at::Tensor device_log_probs_loss(const LossDevice& device, const at::Tensor& log_probs,
                                 const LatticeBatch& batch) {
  return DeviceLogitsLoss::apply(log_probs, &device, batch, /*normalised=*/true,
                                 needs_gradient({log_probs}));
}

ArcsSolution device_solve_arcs(const LossDevice& device, const LatticeArcs& arcs,
                               const LatticeBatch& batch, Topology topology, bool with_flows) {
  TORCH_CHECK(arcs.blank.scalar_type() == at::kFloat || arcs.blank.scalar_type() == at::kDouble,
              "arcs are float or double, not ", arcs.blank.scalar_type());
  const c10::DeviceGuard guard(arcs.blank.device());
  const PackedBatch packed(batch, arcs.blank.device());
  ArcsSolution solution{at::empty({batch.size()}, arcs.blank.options()), {}};
  LatticeArguments arguments{.blank = arcs.blank.const_data_ptr(),
                             .label = arcs.label.const_data_ptr(),
                             .type = number_of(arcs.blank),
                             .packed = false,
                             .same_frame = topology == Topology::regular,
                             .label_scale = 1};
  if (with_flows) {
    solution.flows = {at::zeros_like(arcs.blank), at::zeros_like(arcs.label)};
    arguments.blank_flow = solution.flows.blank.mutable_data_ptr();
    arguments.label_flow = solution.flows.label.mutable_data_ptr();
  }
  run_lattices(device, packed, arguments, with_flows, solution.losses);
  return solution;
}

}  // namespace scion
