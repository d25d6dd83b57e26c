#include "scion/training/config/schedule.h"

#include <numbers>

namespace scion {
namespace {

/// The update with which a span ends; without one, the last of the run.
int64_t end_of(const std::optional<Span>& span, int64_t total, int64_t updates_per_epoch) {
  return span ? span->in_updates(updates_per_epoch) : total;
}

double rate_after(const Span& warmup_span, const TrainConfig& config, int64_t update, int64_t total,
                  int64_t updates_per_epoch) {
  const auto warmup =
      static_cast<double>(std::max<int64_t>(1, warmup_span.in_updates(updates_per_epoch)));
  const double now = static_cast<double>(update);
  if (now < warmup) return config.peak_lr * now / warmup;
  if (config.schedule == Schedule::constant) return config.peak_lr;
  if (config.schedule == Schedule::noam) return config.peak_lr * std::sqrt(warmup / now);
  const double left = std::max(1.0, static_cast<double>(total) - warmup);
  const double share = std::min(1.0, (now - warmup) / left);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * share));
  return config.peak_lr * (config.final_lr_share + (1 - config.final_lr_share) * cosine);
}

}  // namespace

double learning_rate(const TrainConfig& config, int64_t update, int64_t total,
                     int64_t updates_per_epoch) {
  return rate_after(config.warmup, config, update, total, updates_per_epoch);
}

UpdateRates update_rates(const TrainConfig& config, int64_t update, int64_t total,
                         int64_t updates_per_epoch) {
  const CopiedConfig& copied = config.copied;
  UpdateRates rates;
  rates.lr = learning_rate(config, update, total, updates_per_epoch);
  rates.copied_lr = copied.lr_scale * rate_after(copied.warmup.value_or(config.warmup), config,
                                                 update, total, updates_per_epoch);
  if (update <= end_of(copied.anchor_until, total, updates_per_epoch))
    rates.anchor = std::min(1.0, rates.copied_lr * copied.anchor_decay);
  return rates;
}

double distillation_share(const DistillConfig& config, int64_t done, int64_t total,
                          int64_t updates_per_epoch) {
  const int64_t end = end_of(config.until, total, updates_per_epoch);
  if (config.teacher.empty() || done >= end) return 0;
  return config.fade ? 1 - static_cast<double>(done) / static_cast<double>(end) : 1;
}

bool depends_on_length(const TrainConfig& config) {
  return config.schedule == Schedule::cosine ||
         (!config.distill.teacher.empty() && config.distill.fade && !config.distill.until) ||
         (config.copied.anchor_decay > 0 && !config.copied.anchor_until);
}

}  // namespace scion
