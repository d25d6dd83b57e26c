#include "scion/core/out_of_memory.h"

#include <c10/util/Exception.h>
#include <c10/util/Logging.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

namespace scion {
namespace {

// libtorch aborts instead of throwing where this flag is set, which it is at the start of some
// programs although its default says otherwise.
const bool allocations_throw = [] {
  FLAGS_caffe2_use_fatal_for_enforce = false;
  return true;
}();

}  // namespace

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
      dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr)
    return allocations_throw;
  const std::string_view message = error.what();
  constexpr std::array<std::string_view, 4> signs = {"can't allocate memory", "not enough memory",
                                                     "out of memory", "out_of_memory"};
  return std::any_of(signs.begin(), signs.end(), [&](std::string_view sign) {
    return message.find(sign) != std::string_view::npos;
  });
}

}  // namespace scion
