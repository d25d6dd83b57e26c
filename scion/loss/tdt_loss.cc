#include "scion/loss/tdt_loss.h"

#include "scion/core/error.h"
#include "scion/loss/given_loss.h"
#include "scion/loss/joiner_loss.h"
#include "scion/loss/lattice/checks.h"

namespace scion {
namespace {

constexpr int64_t kLongestDuration = 10000;

LatticeRules checked_rules(const TransducerLossOptions& options, const TdtOptions& tdt) {
  check_tdt_options(tdt);
  if (options.topology != Topology::regular)
    throw UserError("a token-and-duration loss in another topology than the regular one",
                    "leave TransducerLossOptions::topology as it is");
  return rules_of(options, tdt);
}

void require_cpu(const at::Tensor& tensor) {
  if (!tensor.is_cpu())
    throw UserError(
        fmt::format("the token-and-duration loss of tensors on {}", tensor.device().str()),
        "it runs on the CPU alone: move them there, or train with train.device = \"cpu\"");
}

void require_cpu(const JoinerInputs& joiner) {
  for (const at::Tensor& tensor : {joiner.encoder, joiner.predictor, joiner.weight, joiner.bias})
    require_cpu(tensor);
}

}  // namespace

void check_tdt_options(const TdtOptions& tdt) {
  const std::string list = fmt::format("{}", fmt::join(tdt.durations, ", "));
  std::vector<int64_t> sorted = tdt.durations;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty() || sorted.back() < 1)
    throw UserError(fmt::format("of the durations [{}] none is above 0", list),
                    "without one no blank leads on: give for example 0, 1, 2, 3, 4");
  if (sorted.front() < 0)
    throw UserError(fmt::format("the durations [{}] hold {}", list, sorted.front()),
                    "a duration is a number of frames, 0 or more");
  if (sorted.back() > kLongestDuration)
    throw UserError(fmt::format("the durations [{}] hold {}", list, sorted.back()),
                    fmt::format("a duration has at most {} frames", kLongestDuration));
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    throw UserError(fmt::format("the durations [{}] hold {} twice", list, *twice),
                    "give each duration once");
  if (!std::isfinite(tdt.sigma))
    throw UserError(fmt::format("sigma {} must be finite", tdt.sigma), "0 turns it off");
}

at::Tensor tdt_loss(const at::Tensor& logits, const LatticeLabels& labels, const TdtOptions& tdt,
                    const TransducerLossOptions& options) {
  require_cpu(logits);
  const LatticeBatch batch = check_given(logits, "logits", labels, checked_rules(options, tdt));
  return given_loss(logits, batch, /*normalised=*/false);
}

at::Tensor joiner_tdt_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                           const TdtOptions& tdt, const TransducerLossOptions& options) {
  require_cpu(joiner);
  const LatticeBatch batch = check_joiner_batch(joiner, labels, checked_rules(options, tdt));
  return fused_joiner_loss(joiner, batch, settings_of(options));
}

JoinerInputs without_durations(const JoinerInputs& joiner, const TdtOptions& tdt) {
  if (tdt.durations.empty()) return joiner;
  const int64_t classes = joiner.weight.size(0) - static_cast<int64_t>(tdt.durations.size());
  return {joiner.encoder, joiner.predictor, joiner.weight.narrow(0, 0, classes),
          joiner.bias.narrow(0, 0, classes), joiner.activation};
}

DistilledLoss distilled_joiner_tdt_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                                        const NodeTargets& targets, const TdtOptions& tdt,
                                        const TransducerLossOptions& options) {
  require_cpu(joiner);
  const LatticeBatch batch = check_joiner_batch(joiner, labels, checked_rules(options, tdt));
  return fused_distilled_loss(joiner, batch, targets, settings_of(options));
}

}  // namespace scion
