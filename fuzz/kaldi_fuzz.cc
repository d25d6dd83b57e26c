#include "fuzz/foreign.h"
#include "scion/data/corpora/corpus.h"

// wav.scp, text, utt2spk, segments and reco2file_and_channel, separated by zero bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFolder folder;
  return scion::read_or_refuse([&] {
    scion::read_kaldi(
        folder.with(scion::as_text(data, size),
                    {"wav.scp", "text", "utt2spk", "segments", "reco2file_and_channel"}));
  });
}
