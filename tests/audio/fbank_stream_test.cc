#include "scion/audio/fbank_stream.h"

#include <gtest/gtest.h>

#include "scion/core/random.h"

namespace scion {
namespace {

std::vector<float> stream_noise(int64_t count) {
  Random random(uint64_t(count), RandomStream::corruption);
  std::vector<float> samples(static_cast<size_t>(count));
  for (float& sample : samples) sample = static_cast<float>(0.1 * random.normal());
  return samples;
}

std::vector<FeatureConfig> stream_settings() {
  std::vector<FeatureConfig> settings(4);
  settings[1].snip_edges = true;
  settings[2] = nemo_features();
  settings[3].preemphasis_over = PreemphasisOver::signal;
  settings[3].use_energy = true;
  settings[3].frame_shift_ms = 30;  // longer than a window
  return settings;
}

TEST(StreamingFbank, EqualsTheWholeSignalForAnyPieces) {
  Random random(5, RandomStream::order);
  for (const FeatureConfig& config : stream_settings())
    for (const int64_t length : {0, 1, 79, 80, 200, 399, 400, 401, 1000, 16000, 48017}) {
      const std::vector<float> samples = stream_noise(length);
      const at::Tensor whole = Fbank(config).compute(at::tensor(at::ArrayRef<float>(samples)));
      StreamingFbank stream(config);
      std::vector<at::Tensor> parts;
      const int64_t largest = 1 + random.below(3000);
      for (int64_t given = 0; given < length;) {
        const int64_t count = std::min(length - given, random.below(largest) + 1);
        stream.accept(samples.data() + given, count);
        given += count;
        parts.push_back(stream.take(random.below(20)));
      }
      stream.finish();
      parts.push_back(stream.take(stream.ready()));
      EXPECT_EQ(stream.ready(), 0);
      EXPECT_TRUE(at::equal(at::cat(parts), whole)) << length << " samples";
    }
}

TEST(StreamingFbank, AFrameIsReadyWithItsLastSample) {
  StreamingFbank stream{FeatureConfig()};
  const std::vector<float> samples = stream_noise(1000);
  stream.accept(samples.data(), 279);  // the first frame ends 120 samples early, at 280
  EXPECT_EQ(stream.ready(), 0);
  stream.accept(samples.data() + 279, 1);
  EXPECT_EQ(stream.ready(), 1);
  stream.accept(samples.data() + 280, 160);
  EXPECT_EQ(stream.ready(), 2);
  EXPECT_EQ(stream.take(1).size(0), 1);
  EXPECT_EQ(stream.ready(), 1);
  stream.finish();
  EXPECT_EQ(stream.ready(), 2);  // 440 samples: 3 frames
  EXPECT_ANY_THROW(stream.accept(samples.data(), 1));
}

}  // namespace
}  // namespace scion
