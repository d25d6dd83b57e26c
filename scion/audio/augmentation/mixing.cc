#include "scion/audio/augmentation/mixing.h"

namespace scion {

double mean_power(const at::Tensor& signal) {
  return signal.numel() == 0 ? 0 : signal.square().mean().item<double>();
}

int64_t power_of_two_from(int64_t size) {
  int64_t power = 1;
  while (power < size) power *= 2;
  return power;
}

at::Tensor convolve(const at::Tensor& signal, const at::Tensor& response) {
  const int64_t size = power_of_two_from(signal.size(0) + response.size(0));
  return at::fft_irfft(at::fft_rfft(signal, size) * at::fft_rfft(response, size), size)
      .narrow(0, 0, signal.size(0));
}

at::Tensor repeated(const at::Tensor& signal, int64_t start, int64_t count) {
  return signal.index_select(0, (at::arange(count, at::kLong) + start).remainder(signal.size(0)));
}

void add_at_snr(at::Tensor& signal, const at::Tensor& noise, double speech_power, double snr_db) {
  const double power = mean_power(noise);
  if (power == 0) return;
  signal += noise * std::sqrt(speech_power / power * std::pow(10, -snr_db / 10));
}

}  // namespace scion
