// Augmentation: every change is drawn from counter-based random numbers, so that it depends on
// (seed, epoch, utterance) only.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "scion/core/random.h"

namespace scion {

class Options;

struct AugmentConfig {
  std::vector<double> speeds = {0.9, 1.0, 1.1};  ///< one is drawn per utterance and epoch
  int64_t frequency_masks = 1;                   ///< SpecAugment (Park et al., 2019)
  int64_t frequency_width = 15;                  ///< widest mask, bins
  int64_t time_masks = 1;
  double time_share = 0.10;  ///< widest mask, share of the utterance

  void declare(Options& options);
};

/// The speed factor of an utterance in an epoch: one of config.speeds.
double draw_speed(const AugmentConfig& config, uint64_t seed, int64_t epoch, uint64_t utterance);

/// Masks (T, F) features in place with `fill` (F), the mean over the training data, so that after
/// global normalisation a mask is zero.
void spec_augment(const AugmentConfig& config, Random& random, at::Tensor& features,
                  const at::Tensor& fill);

}  // namespace scion
