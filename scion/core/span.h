// Lengths of a part of a training run, in epochs or updates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scion/core/options.h"

namespace scion {

/// "2e" (epochs, also fractions) or "500u" (updates).
class Span {
 public:
  static Span epochs(double count) { return {count, true}; }
  static Span updates(double count) { return {count, false}; }

  int64_t in_updates(int64_t updates_per_epoch) const;
  std::string text() const;
  /// nullopt without a count that is not negative, or without a unit.
  static std::optional<Span> parse(const std::string& text);

 private:
  Span(double count, bool epochs) : count_(count), epochs_(epochs) {}
  double count_;
  bool epochs_;
};

template <>
struct OptionText<Span> {
  static constexpr const char* kind = "a length such as \"2e\" (epochs) or \"500u\" (updates)";
  static std::string text(const Span& span) { return span.text(); }
  static std::optional<Span> parse(const std::string& text) { return Span::parse(text); }
};

/// Written as "" where there is none.
template <>
struct OptionText<std::optional<Span>> {
  static constexpr const char* kind =
      "a length such as \"2e\" (epochs) or \"500u\" (updates), or empty";
  static std::string text(const std::optional<Span>& span) { return span ? span->text() : ""; }
  static std::optional<std::optional<Span>> parse(const std::string& text) {
    if (text.empty()) return std::optional<Span>();
    const std::optional<Span> span = Span::parse(text);
    if (!span) return std::nullopt;
    return span;
  }
};

}  // namespace scion
