// One training step up to the gradients: the whole of it can be read here.
#pragma once

#include "scion/data/batch.h"
#include "scion/data/skipped.h"
#include "scion/model/transducer.h"
#include "scion/training/config/train_config.h"
#include "scion/training/teacher.h"

namespace scion {

/// Means over the batch's utterances, in nats.
struct StepLoss {
  double total = 0, transducer = 0, ctc = 0;
  double simple = 0;                               ///< of the pruned loss's first pass
  double node_divergence = 0, ctc_divergence = 0;  ///< from the teacher
  double teacher_seconds = 0;                      ///< that the teacher took
  /// Utterances without an alignment, which the transducer's means leave out.
  std::vector<Skipped> impossible;
};

/// Progress of a run's schedules.
struct StepProgress {
  double warmed_up = 1;     ///< the pruned loss, 0 to 1
  double distillation = 1;  ///< factor on the weights of both divergences
  bool rnnt_batch = false;  ///< TDT: this batch gets the RNN-T loss of its tokens (omega)
};

/// encoder → (CTC head), predictor, joiner and transducer loss → backward. Gradients are added to
/// the parameters'. The loss is (1 − ctc_weight) · transducer + ctc_weight · CTC, each the mean
/// over the utterances whose labels it can align with their frames. With a teacher,
/// distill.weight · its divergence on the lattice's nodes and distill.ctc_weight · that of the CTC
/// heads are added.
///
/// With LossKind::pruned, transducer is p · pruned + s · simple. As `warmed_up` goes from 0 to
/// 1, p goes from 0.1 to 1 and s from 1 to simple_weight: first the simple joiner has to be
/// trained (Kuang et al., 2022; the schedule is icefall's).
StepLoss accumulate_gradients(const Transducer& model, const Batch& batch,
                              const TrainConfig& config, const ForwardContext& context,
                              const StepProgress& progress = {}, const Teacher* teacher = nullptr);

/// The total loss of that step, without a teacher and without a backward pass.
double batch_loss(const Transducer& model, const Batch& batch, const TrainConfig& config,
                  const ForwardContext& context);

}  // namespace scion
