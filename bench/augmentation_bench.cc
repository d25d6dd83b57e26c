// Augmentation of 16 s of samples on one thread, as multiples of real time.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "scion/audio/audio_file.h"
#include "scion/audio/augmentation/room.h"
#include "scion/audio/augmentation/sample_augmentation.h"
#include "scion/core/threads.h"

namespace {

constexpr int64_t rate = 16000;

std::vector<float> noise(size_t count, uint64_t seed) {
  scion::Random random(seed, scion::RandomStream::corruption);
  std::vector<float> samples(count);
  for (float& value : samples) value = static_cast<float>(random.uniform(-0.1, 0.1));
  return samples;
}

void augment(benchmark::State& state, const scion::AugmentConfig& config) {
  scion::set_thread_count(1);
  const scion::SampleAugmentation augmentation(config, rate, 1);
  const std::vector<float> speech = noise(16 * rate, 1);
  uint64_t utterance = 0;
  for (auto _ : state) {
    std::vector<float> samples = speech;
    augmentation.apply(samples, 0, utterance++ % 64);
    benchmark::DoNotOptimize(samples);
  }
  state.counters["x_real_time"] =
      benchmark::Counter(16.0 * double(state.iterations()), benchmark::Counter::kIsRate);
}

void augmentation_rooms(benchmark::State& state) {
  scion::AugmentConfig config;
  config.reverberation_share = 1;
  config.rooms = 20;
  augment(state, config);
}
BENCHMARK(augmentation_rooms);

/// A minute of noise as WAV, read again for every utterance.
void augmentation_noise(benchmark::State& state) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("scion-{}", getpid());
  std::filesystem::create_directories(folder);
  scion::write_wav(folder / "noise.wav", {noise(60 * rate, 2), rate});
  scion::AugmentConfig config;
  config.noise = folder;
  config.noise_share = 1;
  augment(state, config);
  std::filesystem::remove_all(folder);
}
BENCHMARK(augmentation_noise);

void augmentation_volume(benchmark::State& state) {
  scion::AugmentConfig config;
  config.volume_share = 1;
  augment(state, config);
}
BENCHMARK(augmentation_volume);

/// Computing one room's response, which happens once per room.
void augmentation_one_room(benchmark::State& state) {
  scion::Random random(1, scion::RandomStream::rooms);
  for (auto _ : state)
    benchmark::DoNotOptimize(scion::room_response(scion::draw_room(random, 0.4), rate));
}
BENCHMARK(augmentation_one_room);

}  // namespace
