// Recognises audio while it arrives, here a file in pieces of 0.1 s: recognise_stream MODEL AUDIO
#include <scion/core/error.h>
#include <scion/recognition/recogniser.h>

#include <algorithm>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s MODEL AUDIO\n", argv[0]);
    return 2;
  }
  try {
    const scion::Recogniser recogniser(argv[1]);
    const scion::Audio audio = scion::read_audio(argv[2], recogniser.sample_rate());
    scion::StreamingRecogniser stream = recogniser.stream();
    const auto piece = static_cast<size_t>(recogniser.sample_rate() / 10);
    std::string shown;
    for (size_t first = 0; first < audio.samples.size(); first += piece) {
      const size_t count = std::min(piece, audio.samples.size() - first);
      stream.accept(audio.samples.data() + first, static_cast<int64_t>(count));
      const scion::Recognition so_far = stream.recognition();
      if (so_far.text != shown)
        std::printf("%5.1f s  %s\n", so_far.audio_seconds, so_far.text.c_str());
      shown = so_far.text;
    }
    stream.finish();
    std::printf("end      %s\n", stream.recognition().text.c_str());
  } catch (const scion::Error& error) {
    std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return error.exit_status();
  }
  return 0;
}
