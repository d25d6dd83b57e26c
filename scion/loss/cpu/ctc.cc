#include "scion/loss/cpu/ctc.h"

#include "scion/core/parallel.h"
#include "scion/loss/cpu/kernels.h"

namespace scion {
namespace {

/// blank, y1, blank, y2, … blank
std::vector<int64_t> state_symbols(const LatticeBatch& batch, int64_t b) {
  const int64_t labels = batch.states_of(b) - 1;
  std::vector<int64_t> symbols(2 * labels + 1, batch.blank());
  for (int64_t u = 0; u < labels; ++u) symbols[2 * u + 1] = batch.labels_of(b)[u];
  return symbols;
}

/// 0 for each label that may follow the previous label without a blank between them, i.e. differs
/// from it.
std::vector<float> skips(const std::vector<int64_t>& symbols) {
  std::vector<float> skip(ctc_stride(symbols.size()), -INFINITY);
  for (size_t s = 3; s < symbols.size(); s += 2) {
    if (symbols[s] != symbols[s - 2]) skip[s] = 0;
  }
  return skip;
}

double solve_utterance(const LatticeBatch& batch, int64_t b, const float* logits, int64_t classes,
                       float* log_sums, float* occupancy) {
  const int64_t frames = batch.frames_of(b);
  if (frames == 0) return -INFINITY;
  const std::vector<int64_t> symbols = state_symbols(batch, b);
  const auto states = static_cast<int64_t>(symbols.size());
  loss_kernels().log_sum_exp(logits, frames, classes, classes, log_sums);
  const int64_t stride = ctc_stride(states);
  std::vector<float> emission(frames * stride, -INFINITY);
  for (int64_t t = 0; t < frames; ++t) {
    for (int64_t s = 0; s < states; ++s) {
      emission[t * stride + s] = logits[t * classes + symbols[s]] - log_sums[t];
    }
  }
  const at::Tensor workspace = at::empty({ctc_workspace_bytes(frames, states)}, at::kByte);
  return loss_kernels().ctc_lattice(emission.data(), skips(symbols).data(), frames, states,
                                    workspace.data_ptr(), occupancy);
}

}  // namespace

CtcSolution solve_ctc_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                          bool with_occupancy) {
  const int64_t frames = batch.max_frames(), classes = logits.size(2);
  CtcSolution solution{
      at::empty({batch.size()}, at::kFloat), at::empty({batch.size(), frames}, at::kFloat), {}};
  const int64_t most = frames * ctc_stride(2 * batch.max_states() - 1);
  if (with_occupancy) solution.occupancy = at::empty({batch.size(), most}, at::kFloat);
  for_each_in_parallel(batch.size(), [&](int64_t b) {
    const double log_probability =
        solve_utterance(batch, b, logits.const_data_ptr<float>() + b * frames * classes, classes,
                        solution.log_sums.data_ptr<float>() + b * frames,
                        with_occupancy ? solution.occupancy.data_ptr<float>() + b * most : nullptr);
    solution.losses.data_ptr<float>()[b] = static_cast<float>(-log_probability);
  });
  return solution;
}

at::Tensor ctc_gradient_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                            const CtcSolution& solution, const at::Tensor& weights) {
  at::Tensor gradient = at::zeros_like(logits);
  const at::Tensor float_weights = weights.to(at::kFloat).contiguous();
  const int64_t classes = logits.size(2);
  for_each_in_parallel(batch.size(), [&](int64_t b) {
    if (!std::isfinite(solution.losses.const_data_ptr<float>()[b])) return;
    const float weight = float_weights.const_data_ptr<float>()[b];
    const std::vector<int64_t> symbols = state_symbols(batch, b);
    const float* occupancy =
        solution.occupancy.const_data_ptr<float>() + b * solution.occupancy.size(1);
    const float* log_sum = solution.log_sums.const_data_ptr<float>() + b * batch.max_frames();
    for (int64_t t = 0; t < batch.frames_of(b); ++t) {
      const int64_t row = (b * batch.max_frames() + t) * classes;
      float* const out = gradient.data_ptr<float>() + row;
      loss_kernels().scaled_softmax(logits.const_data_ptr<float>() + row, classes, log_sum[t],
                                    weight, out);
      for (size_t s = 0; s < symbols.size(); ++s) out[symbols[s]] -= weight * occupancy[s];
      occupancy += ctc_stride(symbols.size());
    }
  });
  return gradient;
}

}  // namespace scion
