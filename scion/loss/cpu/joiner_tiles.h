// Building blocks of the fused joiner on the CPU: tiles of nodes, packed factors of matrix
// products, and a view of the joiner's tensors. For sources, which have torch's operations from the
// precompiled header. Internal to scion/loss.
#pragma once

#include <algorithm>
#include <type_traits>

#include "scion/loss/cpu/kernels.h"
#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

inline int64_t round_up(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Uninitialised rows of one thread, `stride` apart.
template <class Number>
class TileRows {
 public:
  TileRows(int64_t rows, int64_t stride)
      : storage_(at::empty({rows, stride}, std::is_same_v<Number, float>      ? at::kFloat
                                           : std::is_same_v<Number, uint32_t> ? at::kInt
                                                                              : at::kBFloat16)),
        data_(static_cast<Number*>(storage_.mutable_data_ptr())),
        stride_(stride) {}
  Number* row(int64_t r) const { return data_ + r * stride_; }
  int64_t stride() const { return stride_; }

 private:
  at::Tensor storage_;
  Number* data_;
  int64_t stride_;
};
using Tile = TileRows<float>;
using HalfTile = TileRows<uint16_t>;  // bfloat16
using PairTile = TileRows<uint32_t>;  // pairs of them

/// A matrix (rows, columns) as the right-hand factor of `multiply`: panels of columns, padded
/// with zeros.
class PackedMatrix {
 public:
  /// In pairs of bfloat16 when there are kernels for them.
  PackedMatrix(const at::Tensor& matrix, const PairKernels* pairs)
      : depth_(matrix.size(0)),
        columns_(round_up(matrix.size(1), loss_kernels().lanes)),
        panel_(loss_kernels().panel),
        pairs_(pairs) {
    const int64_t panels = (columns_ + panel_ - 1) / panel_, width = panels * panel_;
    at::Tensor padded = at::zeros({depth_, width}, at::kFloat);
    padded.narrow(1, 0, matrix.size(1)).copy_(matrix);
    if (pairs_ != nullptr) {
      rows_ = (depth_ + 1) / 2;
      values_ = at::empty({rows_, width}, at::kInt);
      pairs_->pairs_across_rows(padded.const_data_ptr<float>(), width, depth_, width,
                                static_cast<uint32_t*>(values_.mutable_data_ptr()), width);
    } else {
      rows_ = depth_;
      values_ = padded;
    }
    values_ = values_.view({rows_, panels, panel_}).transpose(0, 1).contiguous();
  }
  int64_t columns() const { return columns_; }  ///< padded to whole vectors

  /// c = start + a · this, for `m` rows; `scratch` holds a's pairs
  void multiply(int64_t m, const Tile& a, const PairTile& scratch, MatrixStart start, float* c,
                int64_t c_row) const {
    if (pairs_ == nullptr) {
      loss_kernels().multiply(m, columns_, rows_, a.row(0), a.stride(), 1,
                              values_.const_data_ptr<float>(), panel_, rows_ * panel_, start, c,
                              c_row);
    } else {
      pairs_->pairs_in_rows(a.row(0), a.stride(), m, depth_, scratch.row(0), scratch.stride());
      multiply(m, scratch.row(0), scratch.stride(), start, c, c_row);
    }
  }
  /// The same for pairs in rows `a_row` apart.
  void multiply(int64_t m, const uint32_t* a, int64_t a_row, MatrixStart start, float* c,
                int64_t c_row) const {
    pairs_->multiply(m, columns_, rows_, a, a_row, 1,
                     static_cast<const uint32_t*>(values_.const_data_ptr()), panel_, rows_ * panel_,
                     start, c, c_row);
  }

 private:
  int64_t depth_, columns_, panel_;
  const PairKernels* pairs_;
  int64_t rows_ = 0;  // of values, or of pairs
  at::Tensor values_;
};

/// As LossKernels::tanh_of_sums, with max(x, 0). Memory bounds it, so that the compiler's own
/// vectors do.
inline void relu_of_sums(const float* a, const float* b, int64_t b_stride, int64_t rows, int64_t n,
                         float* out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; ++r, b += b_stride, out += out_stride)
    for (int64_t k = 0; k < n; ++k) {
      const float sum = a[k] + b[k];
      out[k] = sum < 0 ? 0 : sum;  // NaN stays
    }
}

/// The kernel of an activation's sums: `tanh` is that of the instruction set.
using SumsKernel = decltype(LossKernels::tanh_of_sums);
inline SumsKernel sums_kernel(JoinerActivation activation, SumsKernel tanh) {
  return activation == JoinerActivation::relu ? relu_of_sums : tanh;
}

/// As LossKernels::add_tanh_gradients: the gradient passes where hidden[r][k] is positive.
inline void add_relu_gradients(const float* hidden, const float* gradient, int64_t stride,
                               int64_t rows, int64_t n, float* a, float* b, int64_t b_stride) {
  for (int64_t r = 0; r < rows; ++r, hidden += stride, gradient += stride, b += b_stride)
    for (int64_t k = 0; k < n; ++k) {
      const float d = hidden[k] > 0 ? gradient[k] : 0;
      a[k] += d;
      b[k] += d;
    }
}

/// The joiner's tensors and the sizes of a tile, for both halves.
struct JoinerView {
  const LatticeBatch& batch;
  const float *encoder, *predictor;
  at::Tensor bias;                        // padded to whole vectors
  int64_t hidden, outputs, classes;       // D, V and the durations, V
  int64_t hidden_stride, outputs_stride;  // one more vector keeps rows off the same cache sets
  int64_t tile_rows;
  const PairKernels* pairs;  // nullptr: products in float
  JoinerActivation activation;

  JoinerView(const LatticeBatch& lattices, const JoinerInputs& joiner, bool bf16)
      : batch(lattices),
        encoder(joiner.encoder.const_data_ptr<float>()),
        predictor(joiner.predictor.const_data_ptr<float>()),
        hidden(joiner.weight.size(1)),
        outputs(joiner.weight.size(0)),
        classes(outputs - lattices.durations()),
        pairs(bf16 ? pair_kernels() : nullptr),
        activation(joiner.activation) {
    const int64_t lanes = loss_kernels().lanes;
    hidden_stride = round_up(hidden, lanes) + lanes;
    outputs_stride = round_up(outputs, lanes) + lanes;
    bias = at::zeros({outputs_stride}, at::kFloat);
    bias.narrow(0, 0, outputs).copy_(joiner.bias);
    const int64_t row_bytes = 4 * (2 * hidden_stride + outputs_stride);
    // Per thread. Every tile is added to the whole gradient of the weight, which would take most of
    // the time of small tiles with many classes.
    constexpr int64_t kTileBytes = int64_t{2} << 20;
    tile_rows = std::clamp<int64_t>(kTileBytes / row_bytes, 24, 480) / 24 * 24;  // whole blocks
  }

  Tile hidden_tile() const { return {tile_rows, hidden_stride}; }
  /// Holds pairs along or across the rows of either tile.
  PairTile pair_tile() const {
    return {pairs != nullptr ? tile_rows : 0, std::max(hidden_stride, outputs_stride) / 2};
  }

  /// f(encoder(t) + predictor(u)) for `count` states from u, padded with zeros to whole vectors
  void hidden_rows(int64_t b, int64_t t, int64_t u, int64_t count, float* out) const {
    const auto of_sums = sums_kernel(
        activation, pairs != nullptr ? pairs->tanh_of_sums : loss_kernels().tanh_of_sums);
    of_sums(frame(b, t), state(b, u), hidden, count, hidden, out, hidden_stride);
    for (int64_t r = 0; r < count; ++r) {
      std::fill(out + r * hidden_stride + hidden, out + (r + 1) * hidden_stride, 0.F);
    }
  }
  /// The same as pairs in rows.
  void hidden_pairs(int64_t b, int64_t t, int64_t u, int64_t count, uint32_t* out,
                    int64_t stride) const {
    if (activation == JoinerActivation::relu) {
      std::vector<float> rows(static_cast<size_t>(count * hidden));
      relu_of_sums(frame(b, t), state(b, u), hidden, count, hidden, rows.data(), hidden);
      return pairs->pairs_in_rows(rows.data(), hidden, count, hidden, out, stride);
    }
    pairs->pairs_of_tanh(frame(b, t), state(b, u), hidden, count, hidden, out, stride);
  }
  MatrixStart from_bias() const { return {bias.const_data_ptr<float>(), 0}; }

 private:
  const float* frame(int64_t b, int64_t t) const {
    return encoder + (b * batch.max_frames() + t) * hidden;
  }
  const float* state(int64_t b, int64_t u) const {
    return predictor + (b * batch.max_states() + u) * hidden;
  }
};

}  // namespace scion
