#include "scion/training/divergence.h"

#include "scion/core/error.h"

namespace scion {

void report_divergence(const Transducer& model, const Batch& batch, ForwardContext context,
                       const std::string& what, int64_t update) {
  std::string first;
  context.observe = [&](const std::string& place, const at::Tensor& output) {
    if (first.empty() && !output.isfinite().all().item<bool>()) first = place;
  };
  const at::NoGradGuard no_grad;
  model.encode(batch.features.to(model.device()), batch.feature_lengths, context);
  throw Failure(
      fmt::format("{} is not finite in update {}; first layer: {}; utterances: {}", what, update,
                  first.empty() ? "none in the forward pass" : first, fmt::join(batch.ids, " ")),
      "lower train.peak_lr, lengthen train.warmup, or look at these utterances");
}

}  // namespace scion
