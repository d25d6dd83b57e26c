// One training step up to the gradients: the whole of it can be read here.
#pragma once

#include "scion/data/batch.h"
#include "scion/model/transducer.h"
#include "scion/training/run_config.h"

namespace scion {

/// Means over the batch's utterances, in nats.
struct StepLoss {
  double total = 0, transducer = 0, ctc = 0;
};

/// encoder → (CTC head), predictor, joiner and transducer loss → backward. Gradients are added to
/// the parameters'. The loss is (1 − ctc_weight) · transducer + ctc_weight · CTC, each the mean
/// over utterances; an utterance that is impossible for CTC counts nothing there.
StepLoss accumulate_gradients(const Transducer& model, const Batch& batch,
                              const TrainConfig& config, const Context& context);

}  // namespace scion
