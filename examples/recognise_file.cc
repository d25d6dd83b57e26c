// Recognises audio files: recognise_file MODEL AUDIO...
#include <scion/core/error.h>
#include <scion/recognition/recogniser.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s MODEL AUDIO...\n", argv[0]);
    return 2;
  }
  try {
    const scion::Recogniser recogniser(argv[1]);
    for (int i = 2; i < argc; ++i) {
      const scion::Recognition result = recogniser.recognise_file(argv[i]);
      std::printf("%s: %s\n", argv[i], result.text.c_str());
      for (const scion::TimedWord& word : result.words)
        std::printf("  %6.2f to %6.2f s  %s\n", word.start, word.end(), word.word.c_str());
    }
  } catch (const scion::Error& error) {
    std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
    return error.exit_status();
  }
  return 0;
}
