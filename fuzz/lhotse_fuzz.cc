#include "fuzz/foreign.h"
#include "scion/data/corpora/corpus.h"

// Cuts; or, if the input has a zero byte, recordings and supervisions.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFolder cuts, pair;
  return scion::read_or_refuse([&] {
    const std::string_view bytes = scion::as_text(data, size);
    if (bytes.find('\0') == std::string_view::npos)
      scion::read_lhotse(cuts.with(bytes, {"cuts.jsonl"}) / "cuts.jsonl");
    else
      scion::read_lhotse(pair.with(bytes, {"recordings.jsonl", "supervisions.jsonl"}));
  });
}
