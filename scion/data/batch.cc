#include "scion/data/batch.h"

#include <tuple>
#include <utility>

namespace scion {
namespace {

// (B, N, …) and the lengths of its rows to (1, length, …) and (1).
std::pair<at::Tensor, at::Tensor> one_row(const at::Tensor& rows, const at::Tensor& lengths,
                                          int64_t number) {
  const at::Tensor length = lengths.slice(0, number, number + 1);
  return {rows.slice(0, number, number + 1).slice(1, 0, length.item<int64_t>()), length};
}

}  // namespace

Batch one_utterance(const Batch& batch, size_t number) {
  const auto row = static_cast<int64_t>(number);
  Batch one;
  std::tie(one.features, one.feature_lengths) = one_row(batch.features, batch.feature_lengths, row);
  std::tie(one.tokens, one.token_lengths) = one_row(batch.tokens, batch.token_lengths, row);
  one.ids = {batch.ids.at(number)};
  one.indices = {batch.indices.at(number)};
  return one;
}

}  // namespace scion
