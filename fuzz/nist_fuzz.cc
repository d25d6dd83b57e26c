#include <algorithm>

#include "fuzz/foreign.h"
#include "scion/scoring/glm.h"
#include "scion/scoring/marked_alignment.h"
#include "scion/scoring/nist.h"
#include "scion/scoring/stm.h"

namespace {

// Two texts in NIST's notation, parted by a line end.
void align_halves(std::string_view text) {
  const size_t half = std::min(text.find('\n'), text.size());
  const auto first = scion::parse_marked_text(text.substr(0, half), scion::Role::reference, "f");
  const auto second = scion::parse_marked_text(text.substr(half), scion::Role::hypothesis, "f");
  const auto counts = scion::count_errors(scion::align(first, second, {.fragments = true}).words);
  if (scion::align(first, first).words.size() > 0 && counts.errors() < 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = scion::as_text(data, size);
  const std::string_view rest = text.substr(std::min(text.find('\0'), text.size()));
  scion::read_or_refuse([&] { align_halves(text.substr(0, 600)); });
  scion::read_or_refuse(
      [&] { scion::match_by_time(scion::parse_stm(text, "f"), scion::parse_ctm(rest, "f")); });
  scion::read_or_refuse(
      [&] { scion::apply(scion::parse_glm(text, "f"), rest, "ctm", scion::Role::hypothesis); });
  scion::read_or_refuse([&] { scion::parse_ctm(text, "f", scion::Role::hypothesis); });
  return scion::read_or_refuse([&] {
    const auto transcripts = scion::parse_trn(text, "f");
    // Transcripts survive writing and reading again.
    const auto again = scion::parse_trn(scion::to_trn(transcripts), "f");
    if (again.size() != transcripts.size()) std::abort();
    for (size_t i = 0; i < again.size(); ++i)
      if (again[i].id != transcripts[i].id || again[i].text != transcripts[i].text) std::abort();
  });
}
