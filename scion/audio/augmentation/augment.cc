#include "scion/audio/augmentation/augment.h"

#include "scion/audio/augmentation/value_range.h"
#include "scion/core/options.h"

namespace scion {
void AugmentConfig::declare(Options& options) {
  options
      .add("speeds", speeds, "speed factors; one is drawn per utterance and epoch (1.1 is faster)")
      .range(0.5, 2);
  options.add("reverberation_share", reverberation_share, "share of utterances put in a room")
      .range(0, 1);
  options
      .add("responses", responses,
           "folder of measured room impulse responses; empty: simulated rooms")
      .path();
  options.add("rooms", rooms, "simulated rooms to draw from").range(1, 100000);
  add_bounds(options,
             {"reverberation_seconds", "simulated rooms: time in which an echo falls by 60 dB", 0,
              1.5, "s"},
             reverberation_seconds_low, reverberation_seconds_high);
  options.add("noise", noise, "folder of recordings that are mixed in; empty: none").path();
  options.add("noise_share", noise_share, "share of utterances with noise, where there is any")
      .range(0, 1);
  add_bounds(options, {"noise_snr", "speech over noise", -50, 100, "dB"}, noise_snr_low_db,
             noise_snr_high_db);
  options.add("volume_share", volume_share, "share of utterances made louder or softer")
      .range(0, 1);
  add_bounds(options, {"volume", "change of volume", -100, 100, "dB"}, volume_low_db,
             volume_high_db);
  options.add("time_warp", time_warp, "SpecAugment: a frame is moved by that many at most")
      .range(0, 1000)
      .unit("frames");
  options.add("frequency_masks", frequency_masks, "SpecAugment: masks over mel banks").range(0, 10);
  options.add("frequency_width", frequency_width, "widest mask over mel banks")
      .range(0, 512)
      .unit("bins");
  options.add("time_masks", time_masks, "SpecAugment: masks over time").range(0, 100);
  options.add("time_share", time_share, "widest mask over time, as a share of the utterance")
      .range(0, 1);
}

void AugmentConfig::validate() const {
  check_bounds("augment.reverberation_seconds", reverberation_seconds_low,
               reverberation_seconds_high);
  check_bounds("augment.noise_snr_db", noise_snr_low_db, noise_snr_high_db);
  check_bounds("augment.volume_db", volume_low_db, volume_high_db);
}

double draw_speed(const std::vector<double>& speeds, uint64_t seed, int64_t epoch,
                  uint64_t utterance) {
  if (speeds.empty()) return 1;
  Random random(seed, RandomStream::speed, static_cast<uint64_t>(epoch), utterance);
  const int64_t drawn = random.below(static_cast<int64_t>(speeds.size()));
  return speeds[static_cast<size_t>(drawn)];
}

at::Tensor time_warp(const AugmentConfig& config, Random& random, const at::Tensor& features) {
  const int64_t frames = features.size(0), widest = config.time_warp;
  if (widest == 0 || frames < 2 * widest + 2) return features;
  // From (old_place) to (new_place); both at least one frame from the ends.
  const int64_t old_place = widest + 1 + random.below(frames - 2 * widest - 1);
  const int64_t new_place =
      std::clamp<int64_t>(old_place + random.below(2 * widest + 1) - widest, 1, frames - 2);
  if (new_place == old_place) return features;
  const at::Tensor rows = features.contiguous();
  at::Tensor warped = at::empty_like(rows);
  const int64_t columns = rows.size(1);
  const auto* const from = rows.const_data_ptr<float>();
  auto* to = warped.data_ptr<float>();
  for (int64_t t = 0; t < frames; ++t, to += columns) {
    const double place = t <= new_place ? double(t) * double(old_place) / double(new_place)
                                        : double(frames - 1) - double(frames - 1 - t) *
                                                                   double(frames - 1 - old_place) /
                                                                   double(frames - 1 - new_place);
    const int64_t before = std::clamp<int64_t>(int64_t(place), 0, frames - 2);
    const auto share = static_cast<float>(place - double(before));
    const float* const left = from + before * columns;
    for (int64_t c = 0; c < columns; ++c) to[c] = left[c] + share * (left[columns + c] - left[c]);
  }
  return warped;
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
