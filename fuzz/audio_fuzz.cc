#include "fuzz/foreign.h"
#include "scion/audio/audio_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFile file;
  return scion::read_or_refuse([&] {
    const std::filesystem::path path = file.with(data, size);
    scion::audio_seconds(path);
    scion::read_audio(path, 16000);
  });
}
