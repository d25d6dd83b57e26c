// Products in bfloat16 for AVX512-BF16: two multiplications and two additions per lane and
// instruction.
#include <immintrin.h>
#include <stdint.h>

#include "scion/loss/cpu/kernels.h"

// GCC 12 warns of its own intrinsics' deliberately undefined registers.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace scion {
namespace {

constexpr int kLanes = 16;
#include "scion/loss/cpu/vector_math.inc"

constexpr int kPanelVectors = 4, kBlockRows = 6;

// Sixteen floats, rounded into the lower halves of 32 bits.
inline __m512i rounded(__m512 x) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)); }

inline __mmask16 first_lanes(int64_t n) {
  return (__mmask16)(n >= kLanes ? 0xFFFF : n <= 0 ? 0 : (1u << n) - 1);
}

/// Up to sixteen of n floats, then zeros.
inline __m512 load_first(const float* p, int64_t n) {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}

/// The pairs of up to sixteen numbers.
inline void store_pairs(uint32_t* out, __m512 x, int64_t n) {
  const int64_t pairs = (n + 1) / 2;
  const auto mask = (__mmask8)(pairs >= 8 ? 0xFF : (1u << pairs) - 1);
  _mm256_mask_storeu_epi32(out, mask, (__m256i)_mm512_cvtneps_pbh(x));
}

void pairs_in_rows(const float* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                   int64_t out_row) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < n; k += kLanes) {
      store_pairs(out + r * out_row + k / 2, load_first(x + r * x_row + k, n - k), n - k);
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

void pairs_of_halves(const uint16_t* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                     int64_t out_row) {
  const auto wide = [](const uint16_t* p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  };
  for (int64_t r = 0; r < rows; r += 2) {
    const uint16_t* const row = x + r * x_row;
    for (int64_t k = 0; k < n; k += kLanes) {
      const __m512i high = r + 1 < rows ? wide(row + x_row + k) : _mm512_setzero_si512();
      _mm512_storeu_si512(out + r / 2 * out_row + k,
                          _mm512_or_si512(wide(row + k), _mm512_slli_epi32(high, 16)));
    }
  }
}

void add_pairs(const uint32_t* pairs, int64_t rows, int64_t stride, int64_t n, float* out) {
  const auto ones = (__m512bh)_mm512_set1_epi32(0x3F803F80);
  for (int64_t k = 0; k < n; k += kLanes) {
    __m512 sum = load_first(out + k, n - k);
    for (int64_t r = 0; r < rows; ++r)
      sum = _mm512_dpbf16_ps(sum, (__m512bh)_mm512_loadu_si512(pairs + r * stride + k), ones);
    _mm512_mask_storeu_ps(out + k, first_lanes(n - k), sum);
  }
}

/// tanh(x) as an odd rational function, relative error 4e-6; x is clamped to ±5.5, where the result
/// rounds to ±1.
inline __m512 rough_tanh(__m512 x) {
  // If x is NaN, min and max return their second operand.
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
      const __m512 sum = _mm512_add_ps(load_first(a + k, n - k), load_first(b + k, n - k));
      _mm512_mask_storeu_ps(out + k, first_lanes(n - k), rough_tanh(sum));
    }
  }
}

void pairs_of_tanh(const float* a, const float* b, int64_t b_stride, int64_t rows, int64_t n,
                   uint32_t* out, int64_t out_row) {
  for (int64_t r = 0; r < rows; ++r, b += b_stride, out += out_row) {
    for (int64_t k = 0; k < n; k += kLanes) {
      const __m512 sum = _mm512_add_ps(load_first(a + k, n - k), load_first(b + k, n - k));
      store_pairs(out + k / 2, rough_tanh(sum), n - k);
    }
  }
}

struct Operand {
  const uint32_t* a;
  int64_t row, column;
};

/// R rows of C times V vectors of columns, kept in registers over the whole depth.
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

/// Blocks differ by at most one row: in a block of few rows each sum depends on its previous step.
template <int V>
void multiply_rows(int64_t m, int64_t depth, Operand a, const uint32_t* b, int64_t b_row,
                   MatrixStart start, float* c, int64_t c_row) {
  constexpr decltype(&multiply_block<1, V>) of_rows[kBlockRows] = {
      multiply_block<1, V>, multiply_block<2, V>, multiply_block<3, V>,
      multiply_block<4, V>, multiply_block<5, V>, multiply_block<6, V>};
  for (int64_t blocks = (m + kBlockRows - 1) / kBlockRows; blocks > 0; --blocks) {
    const int64_t rows = (m + blocks - 1) / blocks;
    of_rows[rows - 1](depth, a, b, b_row, start, c, c_row);
    a.a += rows * a.row;
    if (start.values) start.values += rows * start.row_stride;
    c += rows * c_row;
    m -= rows;
  }
}

void multiply(int64_t m, int64_t n, int64_t k, const uint32_t* a, int64_t a_row, int64_t a_column,
              const uint32_t* b, int64_t b_row, int64_t b_panel, MatrixStart start, float* c,
              int64_t c_row) {
  constexpr decltype(&multiply_rows<1>) of_vectors[kPanelVectors] = {
      multiply_rows<1>, multiply_rows<2>, multiply_rows<3>, multiply_rows<4>};
  constexpr int64_t kPanel = kPanelVectors * kLanes;
  for (int64_t column = 0; column < n; column += kPanel, b += b_panel) {
    MatrixStart from = start;
    if (from.values) from.values += column;
    const int64_t vectors = n - column >= kPanel ? kPanelVectors : (n - column) / kLanes;
    of_vectors[vectors - 1](m, k, {a, a_row, a_column}, b, b_row, from, c + column, c_row);
  }
}

// ---- softmax in halves ------------------------------------------------------------------------

/// 2^x to 1e-7; 0 below the normal numbers, NaN for NaN.
inline __m512 exp2_of(__m512 x) {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 part = _mm512_sub_ps(x, whole);
  __m512 y = _mm512_fmadd_ps(part, _mm512_set1_ps(1.3276471e-3f), _mm512_set1_ps(9.6755410e-3f));
  y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(0.055507131f));
  y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(0.2402212f));
  y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(0.69314694f));
  y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(1.0000001f));
  return _mm512_scalef_ps(y, whole);
}

/// Two vectors of n numbers in all, followed by zeros, as thirty-two halves.
inline void store_halves(uint16_t* out, __m512 low, __m512 high) {
  _mm512_storeu_si512(out, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/// Stores exp(row − maximum) to `out`, with zeros up to whole stores. Returns their float sums over
/// the columns k, k + 16, …
inline __m512 exponentials_of_row(const float* row, int64_t classes, float maximum, uint16_t* out) {
  const auto exponentials = [&](int64_t k) {
    const __m512 z = _mm512_sub_ps(load_first(row + k, classes - k), _mm512_set1_ps(maximum));
    return _mm512_maskz_mov_ps(first_lanes(classes - k),
                               exp2_of(_mm512_mul_ps(z, _mm512_set1_ps(kLog2E))));
  };
  __m512 sum = _mm512_setzero_ps();
  for (int64_t k = 0; k < classes; k += 2 * kLanes) {
    const __m512 low = exponentials(k), high = exponentials(k + kLanes);
    sum = _mm512_add_ps(sum, _mm512_add_ps(low, high));
    store_halves(out + k, low, high);
  }
  return sum;
}

void exponentials(const float* logits, int64_t rows, int64_t stride, int64_t classes, uint16_t* out,
                  int64_t out_stride, float* log_sums, float* factors) {
  for (int64_t first = 0; first < rows; first += kLanes) {
    const int64_t count = rows - first < kLanes ? rows - first : kLanes;
    const float* const row = logits + first * stride;
    uint16_t* const to = out + first * out_stride;
    Vec maxima, sums;
    sums_of_rows(
        row, count, stride, classes,
        [&](int64_t r, float maximum) {
          return exponentials_of_row(row + r * stride, classes, maximum, to + r * out_stride);
        },
        maxima, sums);
    store_part(log_sums + first, count, maxima + log_of(sums));
    store_part(factors + first, count, 1.f / sums);
  }
}

void scaled(const uint16_t* x, int64_t n, float scale, uint16_t* out) {
  const __m512 factor = _mm512_set1_ps(scale);
  const auto product = [&](__m256i halves) {
    const auto value = (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
    return _mm512_mul_ps(value, factor);
  };
  for (int64_t k = 0; k < n; k += 2 * kLanes) {
    const __m512i halves = _mm512_loadu_si512(x + k);
    store_halves(out + k, product(_mm512_castsi512_si256(halves)),
                 product(_mm512_extracti64x4_epi64(halves, 1)));
  }
}

}  // namespace

const PairKernels& avx512bf16_pair_kernels() {
  static constexpr PairKernels kernels = {pairs_in_rows, pairs_across_rows, pairs_of_halves,
                                          multiply,      add_pairs,         tanh_of_sums,
                                          pairs_of_tanh, exponentials,      scaled};
  return kernels;
}

}  // namespace scion
