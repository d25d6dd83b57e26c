#include "scion/training/schedule.h"

#include <numbers>

namespace scion {
namespace {

/// The update with which a span ends; the empty one lasts as long as the run.
int64_t end_of(const std::string& span, int64_t total, int64_t updates_per_epoch,
               const std::string& option) {
  return span.empty() ? total : parse_span(span, updates_per_epoch, option);
}

}  // namespace

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

UpdateRates update_rates(const TrainConfig& config, int64_t update, int64_t total,
                         int64_t updates_per_epoch) {
  TrainConfig of_copied = config;
  if (!config.copied_warmup.empty()) of_copied.warmup = config.copied_warmup;
  UpdateRates rates;
  rates.lr = learning_rate(config, update, total, updates_per_epoch);
  rates.copied_lr =
      config.copied_lr_scale * learning_rate(of_copied, update, total, updates_per_epoch);
  if (update <= end_of(config.anchor_until, total, updates_per_epoch, "train.anchor_until"))
    rates.anchor = std::min(1.0, rates.copied_lr * config.anchor_decay);
  return rates;
}

double distillation_share(const TrainConfig& config, int64_t done, int64_t total,
                          int64_t updates_per_epoch) {
  const int64_t end = end_of(config.distill_until, total, updates_per_epoch, "train.distill_until");
  if (config.distill.empty() || done >= end) return 0;
  return config.distill_fade ? 1 - static_cast<double>(done) / static_cast<double>(end) : 1;
}

}  // namespace scion
