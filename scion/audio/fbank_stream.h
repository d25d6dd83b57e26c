// Filter banks of a signal that arrives in pieces.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "scion/audio/fbank.h"

namespace scion {

/// Gives the frames of Fbank::compute over the whole signal, bit for bit, each as soon as its last
/// sample has arrived. Memory: the samples of the frames not yet taken and of two windows.
class StreamingFbank {
 public:
  explicit StreamingFbank(const FeatureConfig& config) : fbank_(config) {}

  /// The next `count` samples in [-1, 1], at the settings' rate. Not after finish().
  void accept(const float* samples, int64_t count);
  /// Ends the signal: its last frames, which reach past the end, become ready.
  void finish() { finished_ = true; }

  /// Frames ready to be taken.
  int64_t ready() const;
  /// (min(count, ready()), columns()) float: the next frames.
  at::Tensor take(int64_t count);

 private:
  void forget();

  Fbank fbank_;
  std::vector<float> held_;  // the last samples
  int64_t forgotten_ = 0;    // samples before those
  int64_t taken_ = 0;        // frames
  bool finished_ = false;
};

}  // namespace scion
