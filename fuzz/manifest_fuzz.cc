#include "fuzz/foreign.h"
#include "scion/data/corpora/readers/readers.h"
#include "scion/data/manifest/manifest_index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFile file;
  return scion::read_or_refuse([&] {
    const auto path = file.with(data, size);
    try {
      scion::read_manifest_corpus(path);
    } catch (const scion::Error&) {  // the strict readers may accept nothing more
    }
    size_t utterances = 0;
    try {
      utterances = scion::read_manifest(path).size();
    } catch (const scion::Error&) {  // the index must reject it, too
    }
    if (scion::ManifestIndex(path).size() != utterances) std::abort();
  });
}
