#include "fuzz/foreign.h"
#include "scion/core/files/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse([&] { scion::parse_safetensors(scion::as_text(data, size), "f"); });
}
