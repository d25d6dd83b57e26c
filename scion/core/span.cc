#include "scion/core/span.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace scion {

int64_t Span::in_updates(int64_t updates_per_epoch) const {
  return std::llround(epochs_ ? count_ * static_cast<double>(updates_per_epoch) : count_);
}

std::string Span::text() const { return fmt::format("{}{}", count_, epochs_ ? 'e' : 'u'); }

std::optional<Span> Span::parse(const std::string& text) {
  double count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || end - stop != 1 || !(count >= 0) || std::isinf(count))
    return std::nullopt;
  if (*stop == 'e') return epochs(count);
  if (*stop == 'u') return updates(count);
  return std::nullopt;
}

}  // namespace scion
