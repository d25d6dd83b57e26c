#include "scion/audio/audio_quality.h"

#include <algorithm>
#include <cmath>

namespace scion {

void QualityMeter::add(std::span<const float> block, size_t channels, size_t first, size_t used,
                       std::span<const float> mono) {
  constexpr float full_scale = 0.9999f;  // the largest 16-bit sample is 0.99997
  used_ = std::max(used_, used);
  for (size_t channel = first; channel < first + used; ++channel) {
    double squares = 0;
    float peak = 0;
    bool was_full = false;
    size_t clipped = 0;
    for (size_t i = channel; i < block.size(); i += channels) {
      const float level = std::abs(block[i]);
      const bool is_full = level >= full_scale;
      clipped += is_full && was_full;
      was_full = is_full;
      peak = std::max(peak, level);
      squares += double(level) * level;
    }
    squares_ += squares;
    clipped_ += clipped;
    peak_ = std::max(peak_, peak);
  }
  samples_ += used * (block.size() / channels);
  frames_ += mono.size();
  for (const float value : mono) mono_squares_ += double(value) * value;
}

AudioQuality QualityMeter::quality() const {
  if (samples_ == 0) return {};
  const auto samples = static_cast<double>(samples_);
  return {.averaged_channels = static_cast<int64_t>(used_),
          .peak = peak_,
          .power = squares_ / samples,
          .averaged_power = mono_squares_ / static_cast<double>(frames_),
          .clipped_share = static_cast<double>(clipped_) / samples};
}

}  // namespace scion
