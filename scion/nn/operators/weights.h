// Weights of the operators: the tensors that make up a linear map, a normalisation, a convolution.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace scion {

/// y = x Wᵀ + b over the last dimension.
struct Linear {
  at::Tensor weight;     ///< (O, I)
  at::Tensor bias = {};  ///< (O); undefined: none
};

/// Layer normalisation (Ba et al., 2016): learnt scale and shift (C).
struct LayerNorm {
  at::Tensor weight, bias;
};

/// Batch normalisation: learnt scale and shift (C), running statistics (C).
struct BatchNorm {
  at::Tensor weight, bias, running_mean, running_variance;
};

/// The frames that a convolution over time sees.
struct ConvolutionReach {
  bool causal = false;  ///< the last tap is the frame's own; otherwise the middle one is
  int64_t chunk = 0;    ///< > 0: frames after the frame's chunk of this length count as zero

  /// Taps before the frame's own, of `taps`.
  int64_t past(int64_t taps) const { return causal ? taps - 1 : taps / 2; }
};

/// Depthwise convolution over time.
struct Convolution {
  at::Tensor weight;  ///< (C, 1, K)
  at::Tensor bias;    ///< (C)
  ConvolutionReach reach = {};

  int64_t channels() const { return weight.size(0); }
  int64_t taps() const { return weight.size(2); }
};

/// Convolution over time and frequency with a square kernel.
struct ImageConvolution {
  at::Tensor weight;  ///< (O, I, k, k); depthwise (C, 1, k, k)
  at::Tensor bias;    ///< (O)
  int64_t stride = 1;
  int64_t padding = 0;  ///< rows and columns of zeros on every side
  bool depthwise = false;

  int64_t kernel() const { return weight.size(2); }
};

/// One LSTM layer; the gates are in the order input, forget, cell, output.
struct LstmWeights {
  at::Tensor input;   ///< (4H, I)
  at::Tensor hidden;  ///< (4H, H)
  at::Tensor bias;    ///< (4H)
};

}  // namespace scion
