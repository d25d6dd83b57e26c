// What changes over the updates of a run: learning rates, distillation's weight.
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

/// What one update works with.
struct UpdateRates {
  double lr = 0;         ///< of parameters that began at random
  double copied_lr = 0;  ///< of those that came from another model
  double anchor = 0;     ///< share of their way back to their first values that these go
};
/// Of update `update` (from 1) of `total`: copied_lr is copied_lr_scale times a rate with the
/// warm-up copied_warmup; anchor is copied_lr · anchor_decay, until anchor_until.
UpdateRates update_rates(const TrainConfig& config, int64_t update, int64_t total,
                         int64_t updates_per_epoch);

/// What distillation's weights are multiplied by after `done` updates of `total`: 1 until
/// distill_until (with distill_fade falling from 1 at the start to 0 there), then 0.
double distillation_share(const TrainConfig& config, int64_t done, int64_t total,
                          int64_t updates_per_epoch);

}  // namespace scion
