// The inner loops of the transducer losses, once per instruction set. The same source (kernels.inc)
// is compiled three times; the fastest that the processor runs is chosen at run time.
//
// Plain functions on raw pointers: their sources include no torch and no standard library, so that
// no inline function compiled for AVX-512 can end up in a portable caller.
#pragma once

#include <cstdint>

namespace scion {

/// Start of a matrix product's sums: zero, one row for all (a bias), or given rows.
struct MatrixStart {
  const float* values = nullptr;  ///< nullptr: zero
  int64_t row_stride = 0;         ///< 0: the same row for all
};

/// One utterance's token-and-duration lattice: nodes (t, u), t < frames, u < states = U + 1. A
/// blank of duration d > 0 leads from (t, u) to (t + d, u), a label of duration d to (t + d, u +
/// 1), which must not lie beyond the last frame; an alignment ends with a blank from (T − d, U).
struct DurationLattice {
  int64_t frames, states;
  const int64_t* durations;
  int64_t count;  ///< of durations
  double sigma;   ///< subtracted from every blank's and label's log-probability
  /// (T, S) each, log-probabilities of blank and next label; label[·][U] is not read. Later the
  /// probabilities that an alignment uses these arcs, with any duration.
  float *blank, *label;
  /// (T, S) each, `plane` apart: log-probabilities of the durations. Later the derivatives of −log
  /// P with respect to their logits: occupancy of the node times the duration's probability, minus
  /// the flow through the arcs of this duration.
  float* duration;
  int64_t plane;
};

struct LossKernels {
  const char* name;
  int64_t lanes;  ///< floats in a vector
  int64_t panel;  ///< columns of a packed panel, a multiple of `lanes`

  /// out[r] = log Σ_k exp(logits[r][k]); rows are `stride` apart.
  void (*log_sum_exp)(const float* logits, int64_t rows, int64_t stride, int64_t classes,
                      float* out);
  /// out[k] = scale · exp(logits[k] − log_sum), k < classes. Works in place.
  void (*scaled_softmax)(const float* logits, int64_t classes, float log_sum, float scale,
                         float* out);

  /// Forward (and, if flows are asked for, backward) recursion over one utterance's lattice.
  ///   blank, label  (T, S): log-probabilities of emitting blank and the next label, S = U + 1;
  ///                 label[·][U] is not read
  ///   blank_flow, label_flow  (T, S): probability that an alignment uses that arc, given y; or
  ///                 nullptr. Not written if the result is not finite.
  ///   workspace     of lattice_workspace_bytes(T, S)
  /// Returns log P(y|x). Sums are kept in double: at 5000 frames a float's step is 1e-3.
  double (*lattice)(const float* blank, const float* label, int64_t T, int64_t S, void* workspace,
                    float* blank_flow, float* label_flow);

  /// The same for a token-and-duration lattice, in place: with `flows` its numbers are overwritten
  /// if the result is finite. NaN if an arc's log-probability is NaN or +∞.
  ///   workspace  of duration_workspace_bytes(lattice)
  double (*duration_lattice)(const DurationLattice& lattice, bool flows, void* workspace);

  /// The same for CTC, whose states are y' = blank, y1, blank, y2, … blank; S = 2U + 1. All rows
  /// are ctc_stride(S) apart and hold −∞ past S.
  ///   emission   (T, S): log-probability of each state's symbol
  ///   skip       (S): 0 where a state may follow the one two before it, else −∞
  ///   occupancy  (T, S): probability of being in the state, given y; or nullptr. Not written if
  ///              the result is not finite.
  ///   workspace  of ctc_workspace_bytes(T, S)
  double (*ctc_lattice)(const float* emission, const float* skip, int64_t T, int64_t S,
                        void* workspace, float* occupancy);

  /// out[r][k] = tanh(a[k] + b[r][k]), k < n: one frame with `rows` label positions
  void (*tanh_of_sums)(const float* a, const float* b, int64_t b_stride, int64_t rows, int64_t n,
                       float* out, int64_t out_stride);
  /// d = gradient[r][k] · (1 − hidden[r][k]²); a[k] += Σ_r d; b[r][k] += d. `stride` is that of
  /// both hidden and gradient.
  void (*add_tanh_gradients)(const float* hidden, const float* gradient, int64_t stride,
                             int64_t rows, int64_t n, float* a, float* b, int64_t b_stride);
  /// out[k] += Σ_r rows[r][k]
  void (*add_rows)(const float* rows, int64_t count, int64_t stride, int64_t n, float* out);

  /// C (m × n) = start + A (m × k) B (k × n). A(i, j) is a[i·a_row + j·a_column]. The columns of
  /// B come in panels of `panel` columns, `b_panel` apart, each with rows `b_row` apart. n is a
  /// multiple of `lanes`.
  void (*multiply)(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_column,
                   const float* b, int64_t b_row, int64_t b_panel, MatrixStart start, float* c,
                   int64_t c_row);
};

/// Matrix products in bfloat16 with sums in float. A factor holds pairs of neighbours along the
/// depth of the product, rounded to nearest: the first in the lower half of 32 bits.
struct PairKernels {
  /// out[r][i] = (x[r][2i], x[r][2i + 1]) for n numbers a row; an odd last one is paired with 0
  void (*pairs_in_rows)(const float* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                        int64_t out_row);
  /// out[i][k] = (x[2i][k], x[2i + 1][k]), k < n, a multiple of 16; an odd last row is paired with
  /// 0
  void (*pairs_across_rows)(const float* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                            int64_t out_row);
  /// The same for bfloat16
  void (*pairs_of_halves)(const uint16_t* x, int64_t x_row, int64_t rows, int64_t n, uint32_t* out,
                          int64_t out_row);
  /// As LossKernels::multiply, with k pairs.
  void (*multiply)(int64_t m, int64_t n, int64_t k, const uint32_t* a, int64_t a_row,
                   int64_t a_column, const uint32_t* b, int64_t b_row, int64_t b_panel,
                   MatrixStart start, float* c, int64_t c_row);
  /// out[k] += Σ_r of both numbers of pairs[r][k], k < n; rows of whole vectors
  void (*add_pairs)(const uint32_t* pairs, int64_t rows, int64_t stride, int64_t n, float* out);
  /// As LossKernels::tanh_of_sums, with a relative error of 1e-5, 4e-5 beyond 5.5; in floats, or
  /// rounded to pairs in rows (n of them, an odd last one with 0).
  void (*tanh_of_sums)(const float* a, const float* b, int64_t b_stride, int64_t rows, int64_t n,
                       float* out, int64_t out_stride);
  void (*pairs_of_tanh)(const float* a, const float* b, int64_t b_stride, int64_t rows, int64_t n,
                        uint32_t* out, int64_t out_row);
  /// Softmax in its stored form: out[r][k] = exp(logits[r][k] − m_r) as bfloat16, m_r the row's
  /// maximum, zeros up to a multiple of 32; log_sums[r] as by log_sum_exp, and factors[r], which
  /// turns stored numbers into probabilities.
  void (*exponentials)(const float* logits, int64_t rows, int64_t stride, int64_t classes,
                       uint16_t* out, int64_t out_stride, float* log_sums, float* factors);
  /// out[k] = scale · x[k], both bfloat16, k < n and up to a multiple of 32
  void (*scaled)(const uint16_t* x, int64_t n, float scale, uint16_t* out);
};
/// nullptr if the processor has no AVX512-BF16.
const PairKernels* pair_kernels();
const PairKernels& avx512bf16_pair_kernels();

const LossKernels& portable_loss_kernels();
const LossKernels& avx2_loss_kernels();
const LossKernels& avx512_loss_kernels();
/// The fastest of them that this processor runs.
const LossKernels& loss_kernels();

/// Room for one utterance's lattice, enough for every instruction set.
inline int64_t lattice_workspace_bytes(int64_t frames, int64_t states) {
  constexpr int64_t kPadding = 64;  // vectors at either end of a diagonal
  const int64_t diagonals = frames + states + 2, stride = states + kPadding;
  return diagonals * stride * (2 * 4 + 8) + 2 * stride * 8 + 256;
}

/// Diagonals of β that are needed at a time: every arc leads at most this number less one on.
inline int64_t duration_diagonals(const DurationLattice& lattice) {
  int64_t longest = 0;
  for (int64_t i = 0; i < lattice.count; ++i)
    if (lattice.durations[i] > longest) longest = lattice.durations[i];
  const int64_t all = lattice.frames + lattice.states;
  return longest + 2 < all ? longest + 2 : all;
}
inline int64_t duration_workspace_bytes(const DurationLattice& lattice) {
  constexpr int64_t kPadding = 80;
  const int64_t diagonals = lattice.frames + lattice.states, stride = lattice.states + kPadding;
  return diagonals * stride * (8 + (2 + lattice.count) * 4) +
         duration_diagonals(lattice) * stride * 8 + 512;
}

/// Floats between the starts of two rows of CTC states, enough for every instruction set.
inline int64_t ctc_stride(int64_t states) { return (states + 31) / 16 * 16; }
inline int64_t ctc_workspace_bytes(int64_t frames, int64_t states) {
  constexpr int64_t kPadding = 64;
  return (frames + 4) * (states + kPadding) * 8 + 64;
}

}  // namespace scion
