// The receiver of log lines: the caller of the library decides where they go.
#pragma once

#include <functional>
#include <string_view>

namespace scion {

enum class LogLevel {
  progress,  ///< replaces the last progress line; an empty line removes it
  info,
  warning
};

/// Receives a line without its line break. Calls never overlap, whichever threads log.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Sends all later lines to `sink` and returns the sink in use before. The default, which an empty
/// sink restores, writes warnings to stderr and drops the rest. A sink must not log.
LogSink set_log_sink(LogSink sink);

}  // namespace scion
