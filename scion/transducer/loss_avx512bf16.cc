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

inline __mmask16 first_lanes(int64_t n) {
  return (__mmask16)(n >= kLanes ? 0xFFFF : (1u << n) - 1);
}

inline __m512 load_part(const float* p, int64_t n) {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}

/// The pairs of n numbers, at most sixteen.
inline void store_pairs(uint32_t* out, __m512 x, int64_t n) {
  const int64_t pairs = (n + 1) / 2;
  const auto mask = (__mmask8)(pairs >= 8 ? 0xFF : (1u << pairs) - 1);
  _mm256_mask_storeu_epi32(out, mask, (__m256i)_mm512_cvtneps_pbh(x));
}

void pairs_in_rows(const float* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                   int64_t out_row) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < n; k += kLanes) {
      store_pairs(out + r * out_row + k / 2, load_part(x + r * x_row + k, n - k), n - k);
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

/// tanh(x) as an odd rational function, relative error 4e-6; beyond 5.5, which rounds to 1, as of
/// 5.5.
inline __m512 rough_tanh(__m512 x) {
  // Of a NaN the second operand is taken.
  x = _mm512_min_ps(_mm512_set1_ps(5.5f), _mm512_max_ps(_mm512_set1_ps(-5.5f), x));
  const __m512 s = _mm512_mul_ps(x, x);
  __m512 p = _mm512_fmadd_ps(s, _mm512_set1_ps(1.5759924e-3f), _mm512_set1_ps(0.11574936f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(0.99999594f));
  __m512 q = _mm512_fmadd_ps(s, _mm512_set1_ps(6.0285186e-5f), _mm512_set1_ps(0.017963954f));
  q = _mm512_fmadd_ps(q, s, _mm512_set1_ps(0.44905297f));
  q = _mm512_fmadd_ps(q, s, _mm512_set1_ps(1.f));
  const __m512 dividend = _mm512_mul_ps(x, p), guess = _mm512_rcp14_ps(q);
  const __m512 y = _mm512_mul_ps(dividend, guess);
  return _mm512_fmadd_ps(_mm512_fnmadd_ps(y, q, dividend), guess, y);
}

void tanh_of_sums(const float* a, const float* b, int64_t b_stride, int64_t rows, int64_t n,
                  float* out, int64_t out_stride) {
  for (int64_t r = 0; r < rows; ++r, b += b_stride, out += out_stride) {
    for (int64_t k = 0; k < n; k += kLanes) {
      const __m512 sum = _mm512_add_ps(load_part(a + k, n - k), load_part(b + k, n - k));
      _mm512_mask_storeu_ps(out + k, first_lanes(n - k), rough_tanh(sum));
    }
  }
}

void pairs_of_tanh(const float* a, const float* b, int64_t b_stride, int64_t rows, int64_t n,
                   uint32_t* out, int64_t out_row) {
  for (int64_t r = 0; r < rows; ++r, b += b_stride, out += out_row) {
    for (int64_t k = 0; k < n; k += kLanes) {
      const __m512 sum = _mm512_add_ps(load_part(a + k, n - k), load_part(b + k, n - k));
      store_pairs(out + k / 2, rough_tanh(sum), n - k);
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
  if (start.row_stride != 0) {  // the next rows come from far away
#pragma GCC unroll 8
    for (int r = R; r < 2 * R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v)
        __builtin_prefetch(start.values + r * start.row_stride + v * kLanes, 1);
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

/// 2^x with an error of 7.5e-5, little beside the rounding to bfloat16; 0 below the normal numbers,
/// NaN stays NaN.
inline __m512 rough_exp2(__m512 x) {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 part = _mm512_sub_ps(x, whole);
  __m512 y = _mm512_fmadd_ps(part, _mm512_set1_ps(0.055171666f), _mm512_set1_ps(0.24261114f));
  y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(0.69326099f));
  y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(0.99992807f));
  return _mm512_scalef_ps(y, whole);
}

void softmax(const float* logits, int64_t n, float log_sum, uint16_t* out) {
  constexpr float kLog2E = 1.44269504f;
  const __m512 scale = _mm512_set1_ps(kLog2E), shift = _mm512_set1_ps(-log_sum * kLog2E);
  for (int64_t k = 0; k < n; k += kLanes) {
    const __m512 z = load_part(logits + k, n - k);
    const auto half = (__m256i)_mm512_cvtneps_pbh(rough_exp2(_mm512_fmadd_ps(z, scale, shift)));
    _mm256_mask_storeu_epi16(out + k, first_lanes(n - k), half);
  }
}

void scaled(const uint16_t* x, int64_t n, float scale, float* out) {
  for (int64_t k = 0; k < n; k += kLanes) {
    const __mmask16 lanes = first_lanes(n - k);
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, x + k));
    const auto value = (__m512)_mm512_slli_epi32(wide, 16);
    _mm512_mask_storeu_ps(out + k, lanes, _mm512_mul_ps(value, _mm512_set1_ps(scale)));
  }
}

}  // namespace

const PairKernels& avx512bf16_pair_kernels() {
  static constexpr PairKernels kernels = {pairs_in_rows, pairs_across_rows, multiply, tanh_of_sums,
                                          pairs_of_tanh, softmax,           scaled};
  return kernels;
}

}  // namespace scion
