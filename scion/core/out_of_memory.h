// Memory that runs out is an error like others, and no end of the process.
#pragma once

#include <exception>

namespace scion {

/// Whether the error means that memory, or the device's memory, ran out: std::bad_alloc and what
/// libtorch and its libraries throw.
bool is_out_of_memory(const std::exception& error);

}  // namespace scion
