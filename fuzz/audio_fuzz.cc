#include "fuzz/foreign.h"
#include "scion/audio/audio_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const scion::MemoryFile file;
  const std::filesystem::path path = file.with(data, size);
  scion::read_or_refuse([&] { scion::audio_seconds(path); });
  scion::read_or_refuse([&] {
    scion::AudioQuality quality;
    scion::read_audio(path, 16000, {}, &quality);
  });
  return scion::read_or_refuse(
      [&] { scion::read_audio(path, 16000, {.begin_seconds = 0.05, .seconds = 0.1}); });
}
