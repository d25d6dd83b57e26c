// The training loss along the straight line between two points of weight space (Goodfellow et al.,
// 2015).
#pragma once

#include <vector>

#include "scion/core/files/safetensors.h"
#include "scion/data/dataset.h"
#include "scion/model/transducer.h"
#include "scion/training/config/run_config.h"

namespace scion {

struct LinePoint {
  double share = 0;  ///< 0: the start, 1: the end
  double loss = 0;   ///< nats an utterance
};

/// The loss (of the transducer and the CTC head, without distillation) at `points` weights from
/// `start`, which holds the trainable parameters by name, to `end`. It is the mean over utterances
/// evenly spaced in the training data, about `seconds` of audio: without augmentation and
/// dropout, and with each batch's own statistics in batch normalisation, because the points between
/// have no running ones.
std::vector<LinePoint> loss_along_line(const SafeTensors& start, const Transducer& end,
                                       const Dataset& data, const RunConfig& config, bool bf16,
                                       int64_t points = 11, double seconds = 120);

}  // namespace scion
