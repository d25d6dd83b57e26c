#include "scion/transducer/device_solve.h"

#include "scion/core/error.h"

namespace scion {

Number number_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kDouble:
      return Number::float64;
    case at::kBFloat16:
      return Number::bfloat16;
    case at::kHalf:
      return Number::float16;
    default:
      return Number::float32;
  }
}

void run_lattices(const LossDevice& device, const PackedBatch& packed, LatticeArguments arguments,
                  bool flows, const at::Tensor& losses) {
  arguments.lattices = packed.view();
  arguments.nodes = packed.nodes();
  const auto options = losses.options().dtype(at::kDouble);
  const int64_t utterances = arguments.lattices.utterances;
  const at::Tensor sums = at::empty({flows ? 2 : 1, packed.nodes()}, options);
  const at::Tensor log_probability = at::empty({utterances}, options);
  arguments.alpha = sums.mutable_data_ptr<double>();
  arguments.beta = flows ? arguments.alpha + packed.nodes() : nullptr;
  arguments.log_probability = log_probability.mutable_data_ptr<double>();
  arguments.losses = losses.mutable_data_ptr();
  at::Tensor lines;
  if (arguments.line_bytes() > kSharedBytes) {
    lines =
        at::empty({utterances * arguments.passes() * 2 * arguments.lattices.max_states}, options);
    arguments.lines = lines.mutable_data_ptr<double>();
  }
  device.kernels.lattices(arguments, device.stream());
}

Solve::Solve(const LossDevice& on, const LatticeBatch& checked, at::Device where)
    : device(on), batch(checked), packed(checked, where) {
  if (batch.rules().topology == Topology::constrained)
    throw UserError("the topology 'constrained' of an exact loss on a device other than the CPU",
                    "use 'modified', the pruned loss, or the CPU");
  terms = at::empty({3, packed.nodes()}, at::TensorOptions(at::kFloat).device(where));
}

DeviceTerms Solve::terms_view() const {
  auto* const first = terms.mutable_data_ptr<float>();
  return {first, first + packed.nodes(), first + 2 * packed.nodes()};
}

void Solve::make_terms(const LogitsRows& rows, const float* bias, int64_t classes, int64_t first,
                       int64_t count) const {
  device.kernels.node_terms({.lattices = packed.view(),
                             .logits = rows,
                             .bias = bias,
                             .classes = classes,
                             .blank = batch.blank(),
                             .first = first,
                             .count = count,
                             .delay_penalty = batch.rules().delay_penalty,
                             .terms = terms_view()},
                            device.stream());
}

at::Tensor Solve::solve_lattices(bool flows) const {
  const DeviceTerms view = terms_view();
  LatticeArguments arguments{.blank = view.blank,
                             .label = view.label,
                             .type = Number::float32,
                             .packed = true,
                             .same_frame = batch.rules().topology == Topology::regular,
                             .blank_flow = view.blank,
                             .label_flow = view.label,
                             .label_scale = 1 + batch.rules().fast_emit,
                             .log_sum = view.log_sum};
  at::Tensor losses = at::empty({batch.size()}, terms.options());
  run_lattices(device, packed, arguments, flows, losses);
  return losses;
}

}  // namespace scion
