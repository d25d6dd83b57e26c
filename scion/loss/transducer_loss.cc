#include "scion/loss/transducer_loss.h"

#include "scion/loss/device/dispatch.h"
#include "scion/loss/given_loss.h"
#include "scion/loss/joiner_loss.h"
#include "scion/loss/lattice/checks.h"

namespace scion {

at::Tensor transducer_loss(const at::Tensor& logits, const LatticeLabels& labels,
                           const TransducerLossOptions& options) {
  const LatticeBatch batch = check_given(logits, "logits", labels, rules_of(options));
  if (const LossDevice* const device = find_loss_device({logits}))
    return device_transducer_loss(*device, logits, batch);
  return given_loss(logits, batch, /*normalised=*/false);
}

at::Tensor transducer_loss_from_log_probs(const at::Tensor& log_probs, const LatticeLabels& labels,
                                          const TransducerLossOptions& options) {
  const LatticeBatch batch = check_given(log_probs, "log-probabilities", labels, rules_of(options));
  if (const LossDevice* const device = find_loss_device({log_probs}))
    return device_log_probs_loss(*device, log_probs, batch);
  return given_loss(log_probs, batch, /*normalised=*/true);
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
