// Features of speech that is played at another speed or otherwise changed first.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "scion/audio/fbank.h"

namespace scion {

/// Changes samples in place, at the rate of the feature settings.
using SampleChange = std::function<void(std::vector<float>&)>;

/// (T, F) features of samples (at the settings' rate) that are played `speed` times as fast and
/// then changed, where a change is given.
at::Tensor speech_features(const Fbank& fbank, const std::vector<float>& samples, double speed,
                           const SampleChange& change = {});

/// Mean and standard deviation of every feature over the training data, (F) float each.
struct FeatureStatistics {
  at::Tensor mean, deviation;
};

}  // namespace scion
