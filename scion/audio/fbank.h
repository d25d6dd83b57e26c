// Log-mel filter banks, Kaldi-compatible, batched on torch's FFT.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace scion {

class Options;

/// Settings are part of a model. The defaults are icefall's.
struct FeatureConfig {
  int64_t sample_rate = 16000;  ///< Hz
  int64_t bins = 80;
  double frame_length_ms = 25;
  double frame_shift_ms = 10;
  double low_frequency = 20;     ///< Hz
  double high_frequency = -400;  ///< Hz; ≤ 0 counts from the Nyquist frequency
  double preemphasis = 0.97;
  bool remove_dc_offset = true;
  bool snip_edges = false;
  bool use_energy = false;               ///< one more, first, column: log energy of the raw frame
  double sample_scale = 1;               ///< 32768 for Kaldi's own 16-bit scale
  std::string window = "povey";          ///< povey, hamming, hanning
  std::string normalisation = "global";  ///< none, global, utterance (applied by the model)

  void declare(Options& options);
  int64_t columns() const { return bins + (use_energy ? 1 : 0); }
  bool operator==(const FeatureConfig&) const = default;
};

/// The smallest value of a feature: log of 1.1920929e-07 (float's epsilon), as in Kaldi.
inline constexpr float feature_floor = -15.942385f;

/// Computes features on the device of its input.
class Fbank {
 public:
  explicit Fbank(const FeatureConfig& config);

  /// Frames that `samples` samples give.
  int64_t frame_count(int64_t samples) const;

  /// (B, N) float samples in [-1, 1] with `lengths` (B) valid samples each →
  /// (B, frame_count(max length), columns()) float. An utterance's features are the same alone
  /// and in a batch; frames behind an utterance's end are `feature_floor`.
  at::Tensor compute(const at::Tensor& samples, const std::vector<int64_t>& lengths) const;
  /// (N) → (T, columns()).
  at::Tensor compute(const at::Tensor& samples) const;

 private:
  /// (B, …) samples, scaled, mirrored at each utterance's ends as its frames need, then zeros.
  at::Tensor padded_signal(const at::Tensor& samples, const std::vector<int64_t>& lengths,
                           int64_t frames) const;
  /// Fills (B, T, columns()) features with the signal's frames from `first` on.
  void analyse(const at::Tensor& signal, int64_t first, const at::Tensor& features) const;

  FeatureConfig config_;
  int64_t window_samples_, shift_samples_, fft_size_;
  at::Tensor window_, mel_;  // (window), (2 (fft/2+1), bins)
};

}  // namespace scion
