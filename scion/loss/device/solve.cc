#include "scion/loss/device/solve.h"

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

Solve::Solve(const LossDevice& on, const LatticeBatch& checked, at::Device where, bool with_rest)
    : device(on), batch(checked), packed(checked, where) {
  terms =
      at::empty({with_rest ? 4 : 3, packed.nodes()}, at::TensorOptions(at::kFloat).device(where));
}

DeviceTerms Solve::terms_view() const {
  auto* const first = terms.mutable_data_ptr<float>();
  const int64_t nodes = packed.nodes();
  return {first, first + nodes, first + 2 * nodes, terms.size(0) > 3 ? first + 3 * nodes : nullptr};
}

TermsArguments Solve::terms_arguments(const LogitsRows& rows, int64_t classes) const {
  return {.lattices = packed.view(),
          .logits = rows,
          .classes = classes,
          .blank = batch.blank(),
          .count = packed.nodes(),
          .delay_penalty = batch.rules().delay_penalty,
          .terms = terms_view()};
}

at::Tensor Solve::solve_lattices(bool flows) const {
  const DeviceTerms view = terms_view();
  LatticeArguments arguments{.blank = view.blank,
                             .label = view.label,
                             .type = Number::float32,
                             .packed = true,
                             .same_frame = batch.rules().topology == Topology::regular,
                             .constrained = batch.rules().topology == Topology::constrained,
                             .blank_flow = view.blank,
                             .label_flow = view.label,
                             .label_scale = 1 + batch.rules().fast_emit};
  at::Tensor losses = at::empty({batch.size()}, terms.options());
  run_lattices(device, packed, arguments, flows, losses);
  return losses;
}

}  // namespace scion
