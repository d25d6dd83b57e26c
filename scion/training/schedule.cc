#include "scion/training/schedule.h"

#include <numbers>

namespace scion {

double learning_rate(const TrainConfig& config, int64_t update, int64_t total,
                     int64_t updates_per_epoch) {
  const double warmup = static_cast<double>(
      std::max<int64_t>(1, parse_span(config.warmup, updates_per_epoch, "train.warmup")));
  const double now = static_cast<double>(update);
  if (now < warmup) return config.peak_lr * now / warmup;
  if (config.schedule == "constant") return config.peak_lr;
  if (config.schedule == "noam") return config.peak_lr * std::sqrt(warmup / now);
  const double left = std::max(1.0, static_cast<double>(total) - warmup);
  const double share = std::min(1.0, (now - warmup) / left);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * share));
  return config.peak_lr * (config.final_lr_share + (1 - config.final_lr_share) * cosine);
}

}  // namespace scion
