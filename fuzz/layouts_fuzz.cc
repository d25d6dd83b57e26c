#include "fuzz/foreign.h"
#include "scion/data/corpora/layouts/layouts.h"

// The lists of MLS and AISHELL, and the text of TIMIT, in folders with one audio file each.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFolder folder;
  static const auto& root = [&]() -> const std::filesystem::path& {
    const std::filesystem::path& path = folder.with("", {"transcripts.txt"});
    for (const char* name : {"audio", "transcript", "wav", "TRAIN"})
      std::filesystem::create_directories(path / name);
    for (const char* name : {"wav/a.wav", "TRAIN/a.PHN", "TRAIN/a.WAV"}) std::ofstream(path / name);
    return path;
  }();
  const std::string_view bytes = scion::as_text(data, size);
  folder.with(bytes, {"transcripts.txt"});
  folder.with(bytes, {"transcript/aishell_transcript.txt"});
  folder.with(bytes, {"TRAIN/a.TXT"});
  scion::read_or_refuse([&] { scion::read_mls(root); });
  scion::read_or_refuse([&] { scion::read_aishell(root); });
  return scion::read_or_refuse([&] { scion::read_timit(root / "TRAIN"); });
}
