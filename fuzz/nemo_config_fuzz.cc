#include "fuzz/foreign.h"
#include "scion/interchange/nemo_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse(
      [&] { scion::read_nemo_config(std::string(scion::as_text(data, size)), "f", {}); });
}
