// One training step up to the gradients: the whole of it can be read here.
#pragma once

#include "scion/data/batch.h"
#include "scion/model/transducer.h"
#include "scion/training/run_config.h"

namespace scion {

/// Means over the batch's utterances, in nats.
struct StepLoss {
  double total = 0, transducer = 0, ctc = 0;
  double simple = 0;  ///< of the pruned loss's first pass
};

/// encoder → (CTC head), predictor, joiner and transducer loss → backward. Gradients are added to
/// the parameters'. The loss is (1 − ctc_weight) · transducer + ctc_weight · CTC, each the mean
/// over utterances; an utterance that is impossible for CTC counts nothing there.
///
/// With config.loss "pruned", transducer is p · pruned + s · simple. As `warmed_up` goes from 0 to
/// 1, p goes from 0.1 to 1 and s from 1 to simple_weight: first the simple joiner has to find its
/// way (Kuang et al., 2022; the schedule is icefall's).
StepLoss accumulate_gradients(const Transducer& model, const Batch& batch,
                              const TrainConfig& config, const Context& context,
                              double warmed_up = 1);

}  // namespace scion
