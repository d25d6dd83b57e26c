#include "scion/audio/augment.h"

#include "scion/core/options.h"

namespace scion {

void AugmentConfig::declare(Options& options) {
  options
      .add("speeds", speeds, "speed factors; one is drawn per utterance and epoch (1.1 is faster)")
      .range(0.5, 2);
  options.add("frequency_masks", frequency_masks, "SpecAugment: masks over mel banks").range(0, 10);
  options.add("frequency_width", frequency_width, "widest mask over mel banks")
      .range(0, 512)
      .unit("bins");
  options.add("time_masks", time_masks, "SpecAugment: masks over time").range(0, 100);
  options.add("time_share", time_share, "widest mask over time, as a share of the utterance")
      .range(0, 1);
}

double draw_speed(const AugmentConfig& config, uint64_t seed, int64_t epoch, uint64_t utterance) {
  if (config.speeds.empty()) return 1;
  Random random(seed, Stream::speed, static_cast<uint64_t>(epoch), utterance);
  const int64_t drawn = random.below(static_cast<int64_t>(config.speeds.size()));
  return config.speeds[static_cast<size_t>(drawn)];
}

void spec_augment(const AugmentConfig& config, Random& random, at::Tensor& features,
                  const at::Tensor& fill) {
  const int64_t frames = features.size(0), bins = features.size(1);
  for (int64_t i = 0; i < config.frequency_masks; ++i) {
    const int64_t width = random.below(std::min(config.frequency_width, bins) + 1);
    const int64_t start = random.below(bins - width + 1);
    features.narrow(1, start, width).copy_(fill.narrow(0, start, width));
  }
  const auto widest = static_cast<int64_t>(config.time_share * double(frames));
  for (int64_t i = 0; i < config.time_masks; ++i) {
    const int64_t width = random.below(widest + 1);
    const int64_t start = random.below(frames - width + 1);
    features.narrow(0, start, width).copy_(fill);
  }
}

}  // namespace scion
