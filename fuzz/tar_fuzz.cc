#include "fuzz/foreign.h"
#include "scion/core/files/tar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFile file;
  return scion::read_or_refuse([&] {
    scion::TarReader reader(file.with(data, size));
    while (reader.next())
      if (reader.size() % 2 == 0) reader.text(1 << 16);
  });
}
