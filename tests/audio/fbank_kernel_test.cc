#include "scion/audio/fbank_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numbers>

#include "scion/core/random.h"
#include "scion/core/threads.h"

namespace scion {
namespace {

/// 16 points, all of them in one window of ones; a bank for each frequency below the eighth.
struct SixteenPoints {
  std::vector<double> window = std::vector<double>(16, 1.0), cosine, sine,
                      weights = std::vector<double>(8, 1.0);
  std::vector<int32_t> reversed = {0, 4, 2, 6, 1, 5, 3, 7}, first, end;
  FbankPlan plan{};

  SixteenPoints() {
    for (int32_t k = 0; k < 8; ++k) {
      cosine.push_back(std::cos(std::numbers::pi * k / 8));
      sine.push_back(std::sin(std::numbers::pi * k / 8));
      first.push_back(k);
      end.push_back(k + 1);
    }
    plan = {16,
            16,
            8,
            window.data(),
            cosine.data(),
            sine.data(),
            reversed.data(),
            first.data(),
            end.data(),
            weights.data(),
            1,
            0,
            0,
            false,
            false};
  }
  std::vector<float> run(FbankFrames* kernel, const float* const* frames, int64_t count) const {
    const at::Tensor work = at::empty({fbank_work_size(plan)}, at::kDouble);
    std::vector<float> features(static_cast<size_t>(8 * count));
    kernel(plan, frames, count, work.data_ptr<double>(), features.data(), 8);
    return features;
  }
};

TEST(FbankKernel, IsTheFourierTransformWithTheSameBytesEverywhere) {
  Random random(1, RandomStream::corruption);
  std::vector<float> samples(16 * 8);
  for (float& sample : samples) sample = static_cast<float>(random.normal());
  const float* frames[8];
  for (int64_t l = 0; l < 8; ++l) frames[l] = samples.data() + 16 * l;
  const SixteenPoints points;
  const std::vector<float> portable = points.run(portable_fbank_frames, frames, 8);
  for (int64_t l = 0; l < 8; ++l)
    for (int64_t k = 0; k < 8; ++k) {
      double real = 0, imaginary = 0;
      for (int64_t n = 0; n < 16; ++n) {
        const double angle = std::numbers::pi * double(n * k) / 8;
        real += frames[l][n] * std::cos(angle);
        imaginary -= frames[l][n] * std::sin(angle);
      }
      EXPECT_NEAR(portable[size_t(8 * l + k)], std::log(real * real + imaginary * imaginary), 1e-6);
    }
  const std::vector<float> three = points.run(portable_fbank_frames, frames, 3);
  EXPECT_EQ(std::vector<float>(three.begin(), three.begin() + 24),
            std::vector<float>(portable.begin(), portable.begin() + 24));
#if defined(__x86_64__)
  if (processor().avx2) {
    EXPECT_EQ(points.run(avx2_fbank_frames, frames, 8), portable);
  }
  if (processor().avx512) {
    EXPECT_EQ(points.run(avx512_fbank_frames, frames, 8), portable);
  }
#endif
}

}  // namespace
}  // namespace scion
