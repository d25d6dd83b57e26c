// The learning rate over the updates of a run.
#pragma once

#include <cstdint>

#include "scion/training/run_config.h"

namespace scion {

/// The rate of update `update` (from 1) of `total`. Linear warm-up to the peak, then
///   cosine    half a cosine down to final_lr_share × peak at the last update
///   noam      peak · √(warm-up / update)   (Vaswani et al., 2017)
///   constant  peak
double learning_rate(const TrainConfig& config, int64_t update, int64_t total,
                     int64_t updates_per_epoch);

}  // namespace scion
