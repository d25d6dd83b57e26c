// What decoded samples are like: signs of recordings that are not what they should be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace scion {

/// Of the channels that are used, before they are averaged. Full scale is 1.
struct AudioQuality {
  int64_t averaged_channels = 1;
  double peak = 0;            ///< of the absolute values
  double power = 0;           ///< mean square, mean of the channels
  double averaged_power = 0;  ///< mean square of their average
  double clipped_share = 0;   ///< of samples at full scale or beyond, next to another such

  /// Integers that were written as floating-point numbers, say.
  bool is_unscaled() const { return peak > 8; }
  /// Floating-point samples that integers could not have held.
  bool is_beyond_full_scale() const { return peak > 1.5 && !is_unscaled(); }
  bool is_clipped() const { return clipped_share > 1e-3 && !is_unscaled(); }
  /// All zero, or below -60 dB of full scale.
  bool is_silent() const { return power < 1e-6; }
  /// Channels that cancel each other: of independent ones 1 / channels of the power remains.
  bool is_cancelled() const {
    return averaged_channels > 1 && !is_silent() && averaged_power < 0.01 * power;
  }
};

/// Measures while samples are decoded.
class QualityMeter {
 public:
  /// `block`: samples of `channels` channels in turn, of which `used` from `first` on are averaged
  /// to `mono`.
  void add(std::span<const float> block, size_t channels, size_t first, size_t used,
           std::span<const float> mono);
  AudioQuality quality() const;

 private:
  size_t samples_ = 0, frames_ = 0, clipped_ = 0, used_ = 1;
  double squares_ = 0, mono_squares_ = 0;
  float peak_ = 0;
};

}  // namespace scion
