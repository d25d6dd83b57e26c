#include "scion/search/label_scores.h"

namespace scion {

Linear search_output(const Linear& joiner_output, const SearchConfig& config) {
  const at::NoGradGuard no_grad;
  const at::Tensor bias = joiner_output.bias.detach().clone();
  bias[blank] -= config.blank_penalty;
  for (const int64_t label : config.suppressed) {
    TORCH_CHECK(label > blank && label < bias.size(0), "label ", label, " cannot be suppressed");
    bias[label] = -std::numeric_limits<float>::infinity();
  }
  const at::Tensor weight = joiner_output.weight.detach();
  if (config.temperature == 1) return {weight, bias};
  return {weight / config.temperature, bias / config.temperature};
}

LabelScores::LabelScores(const Linear& output, JoinerActivation activation)
    : activation_(activation),
      width_(output.weight.size(1)),
      vocabulary_(output.weight.size(0)),
      weight_(output.weight.cpu().t(), nullptr),
      bias_(static_cast<size_t>(weight_.columns())) {
  const at::Tensor bias = output.bias.cpu();
  std::copy_n(bias.const_data_ptr<float>(), vocabulary_, bias_.begin());
}

LabelScores::Rows::Rows(const LabelScores& scores, int64_t most)
    : hidden_(most, round_up(scores.width_, loss_kernels().lanes)),
      logits_(most, scores.weight_.columns()),
      log_sums_(static_cast<size_t>(most)) {}

void LabelScores::compute(std::span<const Pair> pairs, Rows& rows) const {
  const LossKernels& kernels = loss_kernels();
  const auto of_sums = sums_kernel(activation_, kernels.tanh_of_sums);
  const auto count = static_cast<int64_t>(pairs.size());
  for (int64_t row = 0; row < count; ++row) {
    const Pair& pair = pairs[static_cast<size_t>(row)];
    of_sums(pair.frame, pair.predicted, width_, 1, width_, rows.hidden_.row(row),
            rows.hidden_.stride());
  }
  weight_.multiply(count, rows.hidden_, PairTile(0, 0), {bias_.data(), 0}, rows.logits_.row(0),
                   rows.logits_.stride());
  kernels.log_sum_exp(rows.logits_.row(0), count, rows.logits_.stride(), vocabulary_,
                      rows.log_sums_.data());
}

}  // namespace scion
