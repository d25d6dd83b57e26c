#include "scion/core/log.h"

#include <cstdio>
#include <mutex>

#include "scion/core/foreign_text.h"

namespace scion {
namespace {

struct SharedSink {
  std::mutex mutex;
  LogSink sink;
};

// Never destroyed: static objects may still log while the process exits.
SharedSink& shared_sink() {
  static auto* shared = new SharedSink;
  return *shared;
}

}  // namespace

LogSink set_log_sink(LogSink sink) {
  SharedSink& shared = shared_sink();
  const std::scoped_lock lock(shared.mutex);
  return std::exchange(shared.sink, std::move(sink));
}

void log_line(LogLevel level, std::string_view text) {
  const std::string line = printable(text);  // ids and paths come from outside
  SharedSink& shared = shared_sink();
  const std::scoped_lock lock(shared.mutex);
  if (shared.sink)
    shared.sink(level, line);
  else if (level == LogLevel::warning)
    fmt::print(stderr, "warning: {}\n", line);
}

}  // namespace scion
