// Decoding MP3: scion's reader beside libsndfile and, where it is installed, ffmpeg.
#include <benchmark/benchmark.h>
#include <sndfile.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "scion/audio/audio_file.h"

namespace scion {
namespace {

constexpr int rate = 16000;
constexpr int seconds = 120;

/// Two minutes of a gliding tone in noise, mono, at LAME's usual quality.
class SomeMp3 {
 public:
  SomeMp3()
      : path_(std::filesystem::temp_directory_path() /
              ("scion-audio-bench-" + std::to_string(getpid()) + ".mp3")) {
    SF_INFO info{};
    info.samplerate = rate;
    info.channels = 1;
    info.format = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;
    SNDFILE* file = sf_open(path_.c_str(), SFM_WRITE, &info);
    std::vector<float> samples(size_t(rate) * seconds);
    uint32_t noise = 1;
    for (size_t i = 0; i < samples.size(); ++i) {
      const double t = double(i) / rate;
      noise = noise * 1664525 + 1013904223;
      samples[i] = float(0.3 * std::sin(2 * M_PI * (300 + 40 * std::sin(t)) * t) +
                         0.05 * (double(noise) / 4294967296.0 - 0.5));
    }
    sf_write_float(file, samples.data(), sf_count_t(samples.size()));
    sf_close(file);
  }
  ~SomeMp3() { std::filesystem::remove(path_); }
  SomeMp3(const SomeMp3&) = delete;
  SomeMp3& operator=(const SomeMp3&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const std::filesystem::path& mp3() {
  static const SomeMp3 file;
  return file.path();
}

void count_audio(benchmark::State& state) {
  state.counters["audio/s"] =
      benchmark::Counter(double(seconds) * double(state.iterations()), benchmark::Counter::kIsRate);
}

void audio_mp3_scion(benchmark::State& state) {
  mp3();
  for (auto _ : state) benchmark::DoNotOptimize(read_audio(mp3(), rate).samples.data());
  count_audio(state);
}

void audio_mp3_length(benchmark::State& state) {
  mp3();
  for (auto _ : state) benchmark::DoNotOptimize(audio_seconds(mp3()));
  count_audio(state);
}

void audio_mp3_libsndfile(benchmark::State& state) {
  mp3();
  std::vector<float> block(size_t(1) << 15);
  for (auto _ : state) {
    SF_INFO info{};
    SNDFILE* file = sf_open(mp3().c_str(), SFM_READ, &info);
    while (sf_readf_float(file, block.data(), sf_count_t(block.size())) > 0) continue;
    sf_close(file);
  }
  count_audio(state);
}

/// A process for each file, as `ffmpeg … |` in a wav.scp is.
void audio_mp3_ffmpeg(benchmark::State& state) {
  const std::string command =
      "ffmpeg -v error -threads 1 -i " + mp3().string() + " -ar 16000 -ac 1 -f f32le - > /dev/null";
  if (std::system("command -v ffmpeg > /dev/null") != 0) {
    state.SkipWithError("ffmpeg is not installed");
    return;
  }
  for (auto _ : state)
    if (std::system(command.c_str()) != 0) state.SkipWithError("ffmpeg failed");
  count_audio(state);
}

BENCHMARK(audio_mp3_scion)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(audio_mp3_libsndfile)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(audio_mp3_ffmpeg)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(audio_mp3_length)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace scion
