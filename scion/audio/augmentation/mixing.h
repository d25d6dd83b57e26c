// Mixing: convolution with a room response, addition at a given SNR. Signals are (N) tensors on the
// CPU, float or double; results have the signal's type.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace scion {

/// Mean of the squares; 0 for an empty signal.
double mean_power(const at::Tensor& signal);

/// The smallest power of two that is ≥ size.
int64_t power_of_two_from(int64_t size);

/// The convolution, cut to the signal's length.
at::Tensor convolve(const at::Tensor& signal, const at::Tensor& response);

/// `count` samples of a signal from index `start` on, repeated where it ends.
at::Tensor repeated(const at::Tensor& signal, int64_t start, int64_t count);

/// Adds `noise` (N) in place, `snr_db` below `speech_power`. Silent noise changes nothing.
void add_at_snr(at::Tensor& signal, const at::Tensor& noise, double speech_power, double snr_db);

}  // namespace scion
