#include "fuzz/foreign.h"
#include "scion/scoring/transcripts.h"

// Kaldi text and JSON, told apart by the first character, and the forms told apart by their lines.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = scion::as_text(data, size);
  scion::read_or_refuse([&] { scion::find_format("f.txt", text); });
  return scion::read_or_refuse(
      [&] { scion::parse_transcripts(text, scion::Role::hypothesis, "f"); });
}
