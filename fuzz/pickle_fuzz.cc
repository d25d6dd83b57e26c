#include <ATen/ops/zeros.h>

#include "fuzz/foreign.h"
#include "scion/interchange/pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto storage = [](const std::string&, at::ScalarType type, int64_t count) {
    if (count < 0 || count > 4096) throw scion::UserError("no such storage");
    return at::zeros({count}, type);
  };
  return scion::read_or_refuse(
      [&] { scion::read_pickle(scion::as_text(data, size), "f", storage); });
}
