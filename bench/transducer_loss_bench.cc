// The transducer and CTC losses, forward and backward. Arguments: B, T, U, V, D, threads.
#include <benchmark/benchmark.h>

#include "scion/core/threads.h"
#include "scion/loss/ctc_loss.h"
#include "scion/loss/transducer_loss.h"

namespace {

struct Inputs {
  int64_t B, T, U, V, D;
  scion::LatticeLabels labels;

  explicit Inputs(const benchmark::State& state)
      : B(state.range(0)),
        T(state.range(1)),
        U(state.range(2)),
        V(state.range(3)),
        D(state.range(4)) {
    at::manual_seed(1);
    scion::set_thread_count(static_cast<int>(state.range(5)));
    labels = {at::randint(1, V, {B, U}, at::kLong), at::full({B}, T, at::kLong),
              at::full({B}, U, at::kLong)};
  }
};

void from_logits(benchmark::State& state) {
  const Inputs in(state);
  at::Tensor logits = at::randn({in.B, in.T, in.U + 1, in.V}).requires_grad_();
  for (auto _ : state) {
    scion::transducer_loss(logits, in.labels).sum().backward();
    logits.mutable_grad().reset();
  }
}

void fused(benchmark::State& state) {
  const Inputs in(state);
  std::vector<at::Tensor> leaves = {at::randn({in.B, in.T, in.D}),
                                    at::randn({in.B, in.U + 1, in.D}),
                                    at::randn({in.V, in.D}) * 0.1, at::zeros({in.V})};
  for (at::Tensor& leaf : leaves) leaf.requires_grad_();
  for (auto _ : state) {
    scion::joiner_transducer_loss({leaves[0], leaves[1], leaves[2], leaves[3]}, in.labels)
        .sum()
        .backward();
    for (at::Tensor& leaf : leaves) leaf.mutable_grad().reset();
  }
}

void ctc(benchmark::State& state) {
  const Inputs in(state);
  at::Tensor logits = at::randn({in.B, in.T, in.V}).requires_grad_();
  for (auto _ : state) {
    scion::ctc_loss(logits, in.labels).sum().backward();
    logits.mutable_grad().reset();
  }
}

void shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"B", "T", "U", "V", "D", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int64_t threads : {1, 2}) {
    b->Args({9, 45, 20, 28, 64, threads});
    b->Args({8, 150, 40, 500, 512, threads});
    b->Args({8, 250, 60, 500, 512, threads});
  }
}

BENCHMARK(from_logits)->Apply(shapes);
BENCHMARK(fused)->Apply(shapes);
BENCHMARK(ctc)->Apply(shapes);

}  // namespace
