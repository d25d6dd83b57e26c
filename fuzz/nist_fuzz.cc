#include "fuzz/foreign.h"
#include "scion/scoring/nist.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = scion::as_text(data, size);
  scion::read_or_refuse([&] { scion::parse_ctm(text, "f"); });
  return scion::read_or_refuse([&] {
    const auto transcripts = scion::parse_trn(text, "f");
    // Transcripts survive writing and reading again.
    const auto again = scion::parse_trn(scion::to_trn(transcripts), "f");
    if (again.size() != transcripts.size()) std::abort();
    for (size_t i = 0; i < again.size(); ++i)
      if (again[i].id != transcripts[i].id || again[i].text != transcripts[i].text) std::abort();
  });
}
