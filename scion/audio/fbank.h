// Log-mel filter banks, compatible with Kaldi and, by other settings, NeMo.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "scion/core/option_words.h"

namespace scion {

class Options;

/// Where preemphasis is applied: within each frame, or to the signal before it is cut.
enum class PreemphasisOver { frame, signal };
template <>
inline constexpr std::array option_words<PreemphasisOver>{"frame", "signal"};

/// Samples around the signal. mirror: Kaldi's frames, the signal mirrored at its ends. zero: frames
/// centred at multiples of the shift, zeros around the signal (a centred STFT).
enum class EdgePadding { mirror, zero };
template <>
inline constexpr std::array option_words<EdgePadding>{"mirror", "zero"};

/// kaldi: HTK's formula. slaney: Slaney's, with banks of equal area.
enum class MelScale { kaldi, slaney };
template <>
inline constexpr std::array option_words<MelScale>{"kaldi", "slaney"};

/// Window function.
enum class WindowShape { povey, hamming, hanning };
template <>
inline constexpr std::array option_words<WindowShape>{"povey", "hamming", "hanning"};

/// Normalisation of features, applied by the model.
enum class FeatureNormalisation { none, global, utterance };
template <>
inline constexpr std::array option_words<FeatureNormalisation>{"none", "global", "utterance"};

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
  PreemphasisOver preemphasis_over = PreemphasisOver::frame;
  bool snip_edges = false;
  EdgePadding padding = EdgePadding::mirror;  ///< without snip_edges
  MelScale mel_scale = MelScale::kaldi;
  double log_offset = 0;    ///< added before the logarithm; 0: a floor at float's epsilon
  bool use_energy = false;  ///< one more, first, column: log energy of the raw frame
  double sample_scale = 1;  ///< 32768 for Kaldi's own 16-bit scale
  WindowShape window = WindowShape::povey;
  FeatureNormalisation normalisation = FeatureNormalisation::global;

  void declare(Options& options);
  int64_t columns() const { return bins + (use_energy ? 1 : 0); }
  bool operator==(const FeatureConfig&) const = default;
};

/// The smallest value of a feature: log of 1.1920929e-07 (float's epsilon), as in Kaldi.
inline constexpr float feature_floor = -15.942385f;

/// The length of the Fourier transform of a window: a power of two, 2 or more.
int64_t transform_length(int64_t window_samples);

/// NeMo's settings (AudioToMelSpectrogramPreprocessor's defaults, without dither): a Hann window
/// in the middle of 512 points, Slaney's mel scale, 2⁻²⁴ inside the logarithm. Normalised per
/// utterance. NeMo appends one frame of zeros; it is left out here.
FeatureConfig nemo_features();

/// Computes features on the processor, in blocks of eight frames. A frame's bytes depend on its
/// samples alone, not on batch, threads or instruction set.
class Fbank {
 public:
  explicit Fbank(const FeatureConfig& config);

  /// Frames that `samples` samples give.
  int64_t frame_count(int64_t samples) const;

  /// (B, N) float samples in [-1, 1] with `lengths` (B) valid samples each →
  /// (B, frame_count(max length), columns()) float, on the samples' device. Frames past an
  /// utterance's end are `feature_floor`.
  at::Tensor compute(const at::Tensor& samples, const std::vector<int64_t>& lengths) const;
  /// (N) → (T, columns()).
  at::Tensor compute(const at::Tensor& samples) const;

  /// First sample of frame t, possibly before the signal; the frame ends window_samples() later.
  int64_t frame_start(int64_t t) const { return t * shift_samples_ - before_; }
  int64_t window_samples() const { return window_samples_; }
  const FeatureConfig& config() const { return config_; }

  /// Part of a signal: samples from position `first` on, out of `total` (up to the end, if known).
  struct Part {
    const float* samples;
    int64_t first, count, total;
  };
  /// Frames first … first + count - 1 to rows of columns() floats. `part` holds their samples and,
  /// near an end of the signal, those that are mirrored.
  void frames(const Part& part, int64_t first, int64_t count, float* features) const;

 private:
  struct Tables;
  /// A frame's samples: a place in the part, or `copy`, filled, where the frame crosses an end.
  const float* frame(const Part& part, int64_t t, float* copy) const;

  FeatureConfig config_;
  int64_t window_samples_, shift_samples_, before_;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace scion
