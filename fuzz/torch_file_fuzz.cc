#include "fuzz/foreign.h"
#include "scion/interchange/torch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse([&] {
    const scion::PickledValues values = scion::parse_torch_file(scion::as_text(data, size), "f");
    scion::tensors_of(*values.root, "f");
  });
}
