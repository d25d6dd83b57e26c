#include "scion/audio/speech_features.h"

#include "scion/audio/audio_file.h"

namespace scion {

at::Tensor speech_features(const Fbank& fbank, const std::vector<float>& samples, double speed,
                           const SampleChange& change) {
  // Played faster, n samples become n / speed.
  std::vector<float> played = resample(samples, speed, 1);
  if (change) change(played);
  return fbank.compute(
      at::from_blob(played.data(), {static_cast<int64_t>(played.size())}, at::kFloat));
}

}  // namespace scion
