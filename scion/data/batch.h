// A batch of utterances for training or search.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace scion {

struct Batch {
  at::Tensor features;         ///< (B, T, F) float, not normalised; padded with the feature floor
  at::Tensor feature_lengths;  ///< (B) int64, frames
  at::Tensor tokens;           ///< (B, U) int64, padded with 0
  at::Tensor token_lengths;    ///< (B) int64
  std::vector<std::string> ids;
  std::vector<int64_t> indices;  ///< positions in the data set
  double audio_seconds = 0;      ///< without padding
};

/// One utterance of a batch, from 0, as a batch of its own without padding.
Batch one_utterance(const Batch& batch, size_t number);

}  // namespace scion
