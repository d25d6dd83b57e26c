// A word with its place in the audio.
#pragma once

#include <string>

namespace scion {

struct TimedWord {
  std::string word;
  double start = 0, duration = 0;  ///< seconds
  double end() const { return start + duration; }
};

}  // namespace scion
