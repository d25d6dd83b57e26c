// Helpers shared by the fused operators: operand types, blocks of rows, dropout keys.
#pragma once

#include "scion/nn/cpu/kernels.h"
#include "scion/nn/operators/forward_context.h"

namespace scion::fused {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Rows that one thread processes at a time. Sums over rows are taken within blocks, then over the
// blocks, so that they do not depend on the number of threads.
inline constexpr int64_t kBlockRows = 128;

inline at::Tensor flat(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}).contiguous(); }
inline at::Tensor as_float(const at::Tensor& x) { return x.to(at::kFloat); }

inline at::Tensor like_with_last(const at::Tensor& y, const at::Tensor& x) {
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = y.size(-1);
  return y.view(shape);
}

inline float* floats(const at::Tensor& x) { return x.mutable_data_ptr<float>(); }

// A tensor's elements in the type that the kernels take.
template <class T>
T* data(const at::Tensor& x) {
  return static_cast<T*>(x.mutable_data_ptr());
}

// Calls work(kernels, T{}) with the kernels of the tensor's type.
template <class Work>
void with_type(const at::Tensor& x, const Work& work) {
  if (x.scalar_type() == at::kBFloat16)
    work(model_kernels().bf16, Bf16{});
  else
    work(model_kernels().fp32, float{});
}

// Calls work(first row, number of rows, index of the block).
template <class Work>
void for_each_block(int64_t rows, const Work& work) {
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kBlockRows;
      work(first, std::min(kBlockRows, rows - first), block);
    }
  });
}

// One row of partial sums per block of rows.
inline at::Tensor block_sums(int64_t rows, int64_t width) {
  return at::zeros({(rows + kBlockRows - 1) / kBlockRows, width}, at::kFloat);
}

struct DropoutPlace {
  int64_t key = 0;
  double rate = 0;

  DropoutPlace(double rate_in_training, const ForwardContext& context) {
    if (!context.training() || rate_in_training == 0) return;
    rate = rate_in_training;
    key = static_cast<int64_t>(context.next_dropout_key());
  }
};

inline DropoutMask mask(int64_t key, double rate, int64_t first) {
  return {static_cast<uint64_t>(key), rate, first};
}

}  // namespace scion::fused
