#include "fuzz/foreign.h"
#include "scion/text/tokenizer.h"

// A serialised SentencePiece model; then text is encoded with it and decoded.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse([&] {
    const scion::Tokenizer tokenizer{std::string(scion::as_text(data, size))};
    const std::string text = "one two, \xC3\xA4";
    tokenizer.decode(tokenizer.encode(text));
    tokenizer.uncovered(text);
    tokenizer.spelled(text);
  });
}
