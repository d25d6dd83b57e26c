#include "fuzz/foreign.h"
#include "scion/scoring/score.h"

// Both ways to write transcripts down, told apart by the first character.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse(
      [&] { scion::parse_transcripts(scion::as_text(data, size), scion::Role::hypothesis, "f"); });
}
