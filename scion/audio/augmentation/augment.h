// Augmentation: every change is drawn from counter-based random numbers, so that it depends on
// (seed, epoch, utterance) only. In this order: speed, reverberation, noise, volume
// (sample_augmentation.h), then time warp and masks on the features.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "scion/core/random.h"

namespace scion {

class Options;

struct AugmentConfig {
  std::vector<double> speeds = {0.9, 1.0, 1.1};  ///< one is drawn per utterance and epoch

  double reverberation_share = 0;  ///< of the utterances, drawn again in every epoch
  std::string responses;           ///< folder of measured room responses; empty: simulated rooms
  int64_t rooms = 200;             ///< simulated by the image method
  double reverberation_seconds_low = 0.15, reverberation_seconds_high = 0.5;  ///< RT60

  std::string noise;  ///< folder of recordings; empty: none
  double noise_share = 0.5;
  double noise_snr_low_db = 5, noise_snr_high_db = 20;

  double volume_share = 0;
  double volume_low_db = -10, volume_high_db = 6;

  int64_t time_warp = 0;         ///< SpecAugment's W, frames
  int64_t frequency_masks = 1;   ///< SpecAugment (Park et al., 2019)
  int64_t frequency_width = 15;  ///< widest mask, bins
  int64_t time_masks = 1;
  double time_share = 0.10;  ///< widest mask, share of the utterance

  void declare(Options& options);
  /// UserError when a lower bound exceeds the upper one.
  void validate() const;
};

/// The speed factor of an utterance in an epoch: one of `speeds`, 1 where there are none.
double draw_speed(const std::vector<double>& speeds, uint64_t seed, int64_t epoch,
                  uint64_t utterance);

/// Moves a frame of (T, F) features by up to config.time_warp frames, stretching what precedes it
/// and squeezing what follows it, or the reverse (SpecAugment's time warp, linear between
/// frames). As many frames as before; first and last stay. Too short an utterance (T < 2 W + 2) is
/// left alone.
at::Tensor time_warp(const AugmentConfig& config, Random& random, const at::Tensor& features);

/// Masks (T, F) features in place with `fill` (F), the mean over the training data, so that after
/// global normalisation a mask is zero.
void spec_augment(const AugmentConfig& config, Random& random, at::Tensor& features,
                  const at::Tensor& fill);

}  // namespace scion
