#include "fuzz/foreign.h"
#include "scion/core/options.h"
#include "scion/data/corpora/prepare.h"
#include "scion/data/loader.h"

// A whole configuration: TOML, then the declared options of two sections.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse([&] {
    scion::LoaderConfig loader;
    scion::PrepareConfig prepare;
    scion::Options options;
    prepare.declare(options);
    options.section("loader", loader, "batches");
    options.load_toml(scion::as_text(data, size), "f");
  });
}
