// Utterances that can be used but look wrong.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "scion/audio/audio_quality.h"
#include "scion/data/manifest/manifest.h"

namespace scion {

/// Counts, with a few examples, what recordings and texts seldom are unless something went wrong:
/// several channels, channels that cancel each other, silence, clipping, samples beyond full scale
/// (audio_quality.h); more than 40 or fewer than 0.5 characters per second, the sign of wrong times
/// or of another text (speech has 5 to 25).
class OddRecordings {
 public:
  /// An utterance whose length is that of its audio.
  void look_at(const Utterance& utterance, const AudioQuality& quality);
  /// One sentence for each sign that was found.
  std::vector<std::string> lines() const;

 private:
  struct Sign {
    size_t count = 0;
    std::vector<std::string> examples;  // ids
  };
  static constexpr size_t sign_count = 7;
  std::array<Sign, sign_count> signs_;
  double highest_peak_ = 0;
};

}  // namespace scion
