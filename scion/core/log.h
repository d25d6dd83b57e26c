// Log lines: reports of what the library does while it works.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "scion/core/log_sink.h"

namespace scion {

/// Passes a line to the sink.
void log_line(LogLevel level, std::string_view line);

template <class... Values>
void log_info(fmt::format_string<Values...> format, Values&&... values) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Values>(values)...));
}

template <class... Values>
void log_warning(fmt::format_string<Values...> format, Values&&... values) {
  log_line(LogLevel::warning, fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace scion
