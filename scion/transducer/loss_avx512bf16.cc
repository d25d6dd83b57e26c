// Products in bfloat16 for AVX512-BF16: two multiplications and two additions a lane and
// instruction.
#include <immintrin.h>
#include <stdint.h>

#include "scion/transducer/loss_kernels.h"

// GCC 12 warns of its own intrinsics' deliberately undefined registers.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace scion {
namespace {

constexpr int64_t kLanes = 16;
constexpr int kPanelVectors = 4, kBlockRows = 6;

// Sixteen floats to the lower halves of 32 bits.
inline __m512i rounded(__m512 x) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)); }

inline __m512 load_part(const float* p, int64_t n) {
  return n >= kLanes ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps((1u << n) - 1, p);
}

void pairs_in_rows(const float* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                   int64_t out_row) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < n; k += kLanes) {
      const auto half = (__m256i)_mm512_cvtneps_pbh(load_part(x + r * x_row + k, n - k));
      const int64_t pairs = (n - k + 1) / 2;
      const auto mask = (__mmask8)(pairs >= 8 ? 0xFF : (1u << pairs) - 1);
      _mm256_mask_storeu_epi32(out + r * out_row + k / 2, mask, half);
    }
  }
}

void pairs_across_rows(const float* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                       int64_t out_row) {
  for (int64_t r = 0; r < rows; r += 2) {
    const float* const row = x + r * x_row;
    for (int64_t k = 0; k < n; k += kLanes) {
      const __m512i low = rounded(_mm512_loadu_ps(row + k));
      const __m512i high =
          r + 1 < rows ? rounded(_mm512_loadu_ps(row + x_row + k)) : _mm512_setzero_si512();
      _mm512_storeu_si512(out + r / 2 * out_row + k,
                          _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
  }
}

struct Operand {
  const uint32_t* a;
  int64_t row, column;
};

/// R rows of C times V vectors of columns, all of it in registers over the whole depth.
template <int R, int V>
inline void multiply_block(int64_t depth, Operand a, const uint32_t* b, int64_t b_row,
                           MatrixStart start, float* c, int64_t c_row) {
  __m512 sum[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      sum[r][v] = start.values ? _mm512_loadu_ps(start.values + r * start.row_stride + v * kLanes)
                               : _mm512_setzero_ps();
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    __m512i right[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) right[v] = _mm512_loadu_si512(b + k * b_row + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const __m512i left = _mm512_set1_epi32((int)a.a[r * a.row + k * a.column]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v)
        sum[r][v] = _mm512_dpbf16_ps(sum[r][v], (__m512bh)left, (__m512bh)right[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) _mm512_storeu_ps(c + r * c_row + v * kLanes, sum[r][v]);
  }
}

template <int R, int V>
void multiply_rows(int64_t m, int64_t depth, Operand a, const uint32_t* b, int64_t b_row,
                   MatrixStart start, float* c, int64_t c_row) {
  for (; m >= R; m -= R) {
    multiply_block<R, V>(depth, a, b, b_row, start, c, c_row);
    a.a += R * a.row;
    if (start.values) start.values += R * start.row_stride;
    c += R * c_row;
  }
  if constexpr (R > 1) {
    if (m > 0) multiply_rows<R / 2, V>(m, depth, a, b, b_row, start, c, c_row);
  }
}

void multiply(int64_t m, int64_t n, int64_t k, const uint32_t* a, int64_t a_row, int64_t a_column,
              const uint32_t* b, int64_t b_row, int64_t b_panel, MatrixStart start, float* c,
              int64_t c_row) {
  constexpr auto whole = multiply_rows<kBlockRows, kPanelVectors>;
  constexpr decltype(whole) by_vectors[] = {multiply_rows<kBlockRows, 1>,
                                            multiply_rows<kBlockRows, 2>,
                                            multiply_rows<kBlockRows, 3>, whole};
  constexpr int64_t kPanel = kPanelVectors * kLanes;
  for (int64_t column = 0; column < n; column += kPanel, b += b_panel) {
    MatrixStart from = start;
    if (from.values) from.values += column;
    const int64_t vectors = n - column >= kPanel ? kPanelVectors : (n - column) / kLanes;
    by_vectors[vectors - 1](m, k, {a, a_row, a_column}, b, b_row, from, c + column, c_row);
  }
}

}  // namespace

const PairKernels& avx512bf16_pair_kernels() {
  static constexpr PairKernels kernels = {pairs_in_rows, pairs_across_rows, multiply};
  return kernels;
}

}  // namespace scion
