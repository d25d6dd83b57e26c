#include "fuzz/foreign.h"
#include "scion/scoring/score.h"

// Both formats of transcripts, distinguished by the first character.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse(
      [&] { scion::parse_transcripts(scion::as_text(data, size), scion::Role::hypothesis, "f"); });
}
