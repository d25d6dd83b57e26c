#include "fuzz/foreign.h"
#include "scion/data/corpora/layouts/layouts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFile file;
  return scion::read_or_refuse([&] { scion::read_stm(file.with(data, size)); });
}
