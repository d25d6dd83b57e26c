#include "scion/audio/audio_pieces.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

TEST(AudioPieces, AreTheWholeFile) {
  const TemporaryFolder folder;
  for (const int64_t rate : {16000, 44100}) {
    Audio tone{std::vector<float>(static_cast<size_t>(rate * 57 / 10)), rate};
    for (size_t i = 0; i < tone.samples.size(); ++i)
      tone.samples[i] = 0.5F * std::sin(0.03F * static_cast<float>(i % 5003));
    write_wav(folder / "tone.wav", tone);
    for (const AudioPart& part : {AudioPart{}, AudioPart{0.7, 4.4}, AudioPart{1.3}}) {
      const Audio whole = read_audio(folder / "tone.wav", 16000, part);
      std::vector<float> joined;
      const int64_t count = read_audio_in_pieces(
          folder / "tone.wav", 16000, part, 1,
          [&](std::span<const float> x) { joined.insert(joined.end(), x.begin(), x.end()); });
      ASSERT_EQ(joined.size(), whole.samples.size());
      EXPECT_EQ(count, static_cast<int64_t>(joined.size()));
      float largest = 0;
      for (size_t i = 0; i < joined.size(); ++i)
        largest = std::max(largest, std::abs(joined[i] - whole.samples[i]));
      EXPECT_LT(largest, 1e-5) << rate << " Hz from " << part.begin_seconds << " s";
    }
  }
}

}  // namespace
}  // namespace scion
