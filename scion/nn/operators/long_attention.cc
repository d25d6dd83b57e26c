#include "scion/nn/operators/long_attention.h"

#include "scion/core/parallel.h"
#include "scion/nn/operators/fused_blocks.h"

namespace scion {
namespace {

using fused::data;
using fused::floats;
using fused::with_type;

// Calls gather(utterance, memory), then attend(utterance, memory, band, scratch) for all bands of
// its queries in parallel.
template <class Gather, class Attend>
void for_each_band(const at::Tensor& h, const at::Tensor& lengths, int64_t range,
                   const Gather& gather, const Attend& attend) {
  const int64_t frames = h.size(1), width = h.size(2) / 3;
  for (int64_t b = 0; b < h.size(0); ++b) {
    const AttentionShape shape{frames, lengths.const_data_ptr<int64_t>()[b], 1, width, range};
    const at::Tensor keys = at::empty({width, shape.time()}, at::kFloat);
    const at::Tensor values = at::empty({shape.valid, shape.column()}, at::kFloat);
    const HeadMemory memory{floats(keys), floats(values)};
    gather(b, shape, memory);
    const int64_t bands = (shape.valid + QueryBand::most - 1) / QueryBand::most;
    for_each_in_parallel(bands, [&](int64_t i) {
      const at::Tensor scratch = at::empty({QueryBand::scratch(shape)}, at::kFloat);
      const int64_t first = i * QueryBand::most;
      attend(b, shape, memory, QueryBand{first, std::min(QueryBand::most, shape.valid - first)},
             floats(scratch));
    });
  }
}

at::Tensor zeros_like_head(const at::Tensor& h) {
  return at::zeros({h.size(0), h.size(1), h.size(2) / 3}, h.options());
}

}  // namespace

at::Tensor attend_long(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& position_bias,
                       const at::Tensor& lengths) {
  const at::Tensor out = zeros_like_head(h), table = position_bias.contiguous();
  with_type(h, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    const auto at = [](const at::Tensor& x, int64_t b) { return data<T>(x) + b * x.stride(0); };
    for_each_band(
        h, lengths, table.size(0) / 2,
        [&](int64_t b, const AttentionShape& shape, HeadMemory memory) {
          kernels.gather_head(at(h, b), floats(bias), shape, memory);
        },
        [&](int64_t b, const AttentionShape& shape, HeadMemory memory, QueryBand band,
            float* scratch) {
          kernels.attend_band(at(h, b), floats(bias), floats(table), shape, memory, band, scratch,
                              at(out, b));
        });
  });
  return out;
}

LongPositions::LongPositions(int64_t width, int64_t frames)
    : columns_(at::zeros({width, 2 * frames - 1 + HeadPositions::spare}, at::kFloat)) {}

void LongPositions::set(int64_t first, const at::Tensor& vectors) {
  columns_.slice(1, first, first + vectors.size(0)).copy_(vectors.t());
}

at::Tensor attend_long_positions(const at::Tensor& h, const at::Tensor& bias,
                                 const at::Tensor& offset, const LongPositions& positions,
                                 const at::Tensor& lengths) {
  const at::Tensor out = zeros_like_head(h), own_offset = offset.contiguous();
  const at::Tensor& columns = positions.columns();
  const HeadPositions head{nullptr, floats(columns), columns.size(1)};
  with_type(h, [&](const auto& kernels, auto zero) {
    using T = decltype(zero);
    const auto at = [](const at::Tensor& x, int64_t b) { return data<T>(x) + b * x.stride(0); };
    for_each_band(
        h, lengths, 0,
        [&](int64_t b, const AttentionShape& shape, HeadMemory memory) {
          kernels.gather_head(at(h, b), floats(bias), shape, memory);
        },
        [&](int64_t b, const AttentionShape& shape, HeadMemory memory, QueryBand band,
            float* scratch) {
          kernels.attend_band_positions(at(h, b), floats(bias), floats(own_offset), head, shape,
                                        memory, band, scratch, at(out, b));
        });
  });
  return out;
}

}  // namespace scion
