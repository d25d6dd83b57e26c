// What the program says while it works. Lines go to stderr; results go to stdout.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace scion {

/// Plain lines "12:30:05 message" on stderr; warnings are marked. Call once, from main.
void start_logging(bool quiet);

}  // namespace scion
