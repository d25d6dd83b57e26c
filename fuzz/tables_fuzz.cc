#include "fuzz/foreign.h"
#include "scion/data/corpora/detect_format.h"
#include "scion/data/corpora/tables/table.h"

// A table, without options or with columns by number.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFile file;
  const std::filesystem::path path = file.with(data, size);
  scion::TableConfig numbered;
  numbered.columns = {.audio = "1", .text = "2", .begin = "3"};
  scion::read_or_refuse([&] { scion::detect_format(path); });
  scion::read_or_refuse([&] { scion::read_table(path, numbered); });
  return scion::read_or_refuse([&] { scion::read_table(path, {}); });
}
