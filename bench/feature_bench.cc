// Filter banks of 16 s of noise on one thread, as multiples of real time.
#include <benchmark/benchmark.h>

#include "scion/audio/fbank.h"
#include "scion/core/threads.h"

namespace {

void features(benchmark::State& state, const scion::FeatureConfig& config) {
  scion::set_thread_count(1);
  at::manual_seed(1);
  const at::Tensor samples = at::randn({16 * 16000}) * 0.1;
  const scion::Fbank fbank(config);
  for (auto _ : state) benchmark::DoNotOptimize(fbank.compute(samples));
  state.counters["x_real_time"] =
      benchmark::Counter(16.0 * double(state.iterations()), benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(features, icefall, scion::FeatureConfig());
BENCHMARK_CAPTURE(features, nemo, scion::nemo_features());

}  // namespace
