// Learning rates and the weight of distillation over the updates of a run.
#pragma once

#include <cstdint>

#include "scion/training/config/train_config.h"
#include "scion/training/optimisers/adamw.h"

namespace scion {

/// The rate of update `update` (from 1) of `total`. Linear warm-up to the peak, then
///   cosine    half a cosine down to final_lr_share × peak at the last update
///   noam      peak · √(warm-up / update)   (Vaswani et al., 2017)
///   constant  peak
double learning_rate(const TrainConfig& config, int64_t update, int64_t total,
                     int64_t updates_per_epoch);

/// Rates of update `update` (from 1) of `total`: copied_lr is copied.lr_scale times a rate with the
/// warm-up copied.warmup; anchor is copied_lr · copied.anchor_decay, until copied.anchor_until.
UpdateRates update_rates(const TrainConfig& config, int64_t update, int64_t total,
                         int64_t updates_per_epoch);

/// The factor on distillation's weights after `done` updates of `total`: 1 until config.until (with
/// config.fade it falls from 1 at the start to 0 there), then 0; 0 without a teacher.
double distillation_share(const DistillConfig& config, int64_t done, int64_t total,
                          int64_t updates_per_epoch);

/// Whether rates or weights of losses are functions of the number of epochs, so that a run cannot
/// be made longer without changing what it has done already.
bool depends_on_length(const TrainConfig& config);

}  // namespace scion
