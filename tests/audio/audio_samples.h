// Made-up audio and files of it, for tests.
#pragma once

#include <gtest/gtest.h>
#include <sndfile.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "scion/core/random.h"

namespace scion {

/// Something voice-like: a gliding tone with harmonics and a little noise.
inline std::vector<float> voice(double seconds, uint64_t seed, int64_t rate = 16000) {
  Random random(seed, RandomStream::corruption, 99);
  std::vector<float> samples(static_cast<size_t>(seconds * double(rate)));
  const double pitch = random.uniform(90, 250);
  double phase = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = double(i) / double(rate);
    phase += 2 * M_PI * pitch * (1 + 0.2 * std::sin(5 * t)) / double(rate);
    double value = 0.01 * random.normal();
    for (int harmonic = 1; harmonic <= 8; ++harmonic)
      value += 0.15 / harmonic * std::sin(harmonic * phase);
    samples[i] = static_cast<float>(value * (0.6 + 0.4 * std::sin(9 * t)));
  }
  return samples;
}

inline double mean_square(const std::vector<float>& samples) {
  double sum = 0;
  for (const float value : samples) sum += double(value) * value;
  return sum / double(samples.size());
}

/// The noise added to `clean`.
inline std::vector<float> difference(const std::vector<float>& changed,
                                     const std::vector<float>& clean) {
  std::vector<float> result(changed.size());
  for (size_t i = 0; i < changed.size(); ++i) result[i] = changed[i] - clean[i];
  return result;
}

/// The level of `clean` over what was added to it, in dB.
inline double snr_db(const std::vector<float>& clean, const std::vector<float>& noisy) {
  return 10 * std::log10(mean_square(clean) / mean_square(difference(noisy, clean)));
}

/// Interleaved samples written by libsndfile, e.g. with SF_FORMAT_FLAC | SF_FORMAT_PCM_16.
inline void write_sound(const std::filesystem::path& path, const std::vector<float>& samples,
                        int format = SF_FORMAT_WAV | SF_FORMAT_PCM_16, int rate = 16000,
                        int channels = 1) {
  std::filesystem::create_directories(path.parent_path());
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr) << path << ": " << sf_strerror(nullptr);
  sf_write_float(file, samples.data(), static_cast<sf_count_t>(samples.size()));
  sf_close(file);
}

/// Keeps the first `share` of a file's bytes.
inline void cut_file(const std::filesystem::path& path, double share) {
  const auto size = static_cast<double>(std::filesystem::file_size(path));
  std::filesystem::resize_file(path, static_cast<uintmax_t>(size * share));
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace scion
