#include "fuzz/foreign.h"
#include "scion/data/corpora/readers/kaldi_pipe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return scion::read_or_refuse([&] { scion::piped_file(scion::as_text(data, size)); });
}
