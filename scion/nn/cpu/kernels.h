// The elementwise loops between a Conformer's matrix products on the CPU, once for each instruction
// set. One pass over memory does what a chain of tensor operations does in many.
//
// Plain functions on raw pointers: the files that implement them include no torch and no standard
// library, so that no inline function compiled for AVX-512 can end up in a portable caller. Every
// kernel works on a range of rows given by its pointers; callers divide the work.
#pragma once

#include <cstdint>

#include "scion/nn/cpu/activation.h"

namespace scion {

/// The bits of a bfloat16.
using Bf16 = uint16_t;

/// The elements that dropout keeps: a function of the key and of an element's index in its tensor.
struct DropoutMask {
  uint64_t key = 0;
  double rate = 0;    ///< 0: all are kept
  int64_t first = 0;  ///< index of the first element that a kernel is given
};

/// Rows that a kernel works on: `count` contiguous rows of `width` elements.
struct Rows {
  int64_t count, width;
};

/// One utterance of `frames` frames, of which the first `valid` are not padding; a kernel over time
/// with `past` taps before the frame's own.
struct StripShape {
  int64_t frames, valid, channels, taps, past;

  /// Floats of scratch memory that the depthwise kernels need.
  int64_t scratch() const { return 3 * 16 * (frames + taps + 16); }
};

/// One utterance whose rows hold queries | keys | values, each (heads, width).
struct AttentionShape {
  int64_t frames, valid, heads, width;
  int64_t range;      ///< the bias table ends at distances ± range
  int64_t chunk = 0;  ///< > 0: a query sees its chunk of this length and `left` frames before it
  int64_t left = 0;

  /// Valid frames and a head's width, padded to whole vectors.
  int64_t time() const { return (valid + 15) / 16 * 16; }
  int64_t column() const { return (width + 15) / 16 * 16; }

  /// Floats of scratch memory that the attention kernels need.
  int64_t scratch() const {
    return 5 * valid * column() + 2 * width * time() + 2 * valid * time() + 4 * time() + 32;
  }
  /// … and the attention kernels with sinusoidal positions.
  int64_t position_scratch() const { return scratch() + 2 * valid * column() + 16 * (time() + 32); }
};

/// Keys and values of one head, as the bands of its queries read them.
struct HeadMemory {
  float* keys;    ///< (width, time())
  float* values;  ///< (valid, column())
};

/// Queries that are computed together; `first` is a multiple of 16.
struct QueryBand {
  int64_t first, count;
  static constexpr int64_t most = 64;   ///< queries
  static constexpr int64_t keys = 512;  ///< that are met at a time

  /// Floats of scratch memory that a band of a head needs.
  static int64_t scratch(AttentionShape shape) {
    return most * (3 * shape.column() + 2 + keys) + 16 * (keys + 48);
  }
};

/// A head's position vectors, one row per distance of query from key, frames − 1 first:
/// (2 · frames − 1, width padded to whole vectors); and transposed, (width, stride), followed by at
/// least `spare` zeros.
struct HeadPositions {
  const float *rows, *columns;
  int64_t stride;
  static constexpr int64_t spare = 32;
};

/// A convolution without padding over (rows, columns, channels); channel counts are multiples of
/// 16, or 1 going in. Weights are (kernel, kernel, in_channels, out_channels).
struct ImageShape {
  int64_t in_columns, in_channels, out_rows, out_columns, out_channels, kernel, stride;
};

/// Kernels that do not depend on the type T of a matrix product's operands.
struct PlainKernels {
  /// out = dropout(x)
  void (*dropout)(const float* x, DropoutMask mask, int64_t count, float* out);

  /// out = relu(convolution(in) + bias)
  void (*convolve_image)(const float* in, const float* weight, const float* bias, ImageShape shape,
                         float* out);
  /// grad_weight and grad_bias are added to.
  void (*convolve_image_weights)(const float* in, const float* gradient, ImageShape shape,
                                 float* grad_weight, float* grad_bias);
  /// `weight` is (kernel, kernel, out_channels, in_channels) here. grad_in is added to.
  void (*convolve_image_input)(const float* gradient, const float* weight, ImageShape shape,
                               float* grad_in);
  /// Zeroes the gradient where y is not positive; `count` is a multiple of 16.
  void (*pass_where_positive)(const float* y, int64_t count, float* gradient);
};

/// T is float or Bf16.
template <class T>
struct TypedKernels {
  /// out = (x − mean) · r · weight + bias, r = 1/√(variance + 1e-5); statistics (rows, 2): mean, r.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, Rows rows, T* out,
                     float* statistics);
  /// grad_x is written, the other two are added to.
  void (*layer_norm_backward)(const T* gradient, const float* x, const float* statistics,
                              const float* weight, Rows rows, float* grad_x, float* grad_weight,
                              float* grad_bias);

  /// out = dropout(activation(h + bias))
  void (*activate)(const T* h, const float* bias, Activation activation, DropoutMask mask,
                   Rows rows, T* out);
  /// `saved` is `out` of activate() for relu, else `h`. grad_bias is added to.
  void (*activate_backward)(const T* gradient, const T* saved, const float* bias,
                            Activation activation, DropoutMask mask, Rows rows, T* grad_h,
                            float* grad_bias);

  /// out = x + scale · dropout(y + bias)
  void (*add_residual)(const float* x, const T* y, const float* bias, float scale, DropoutMask mask,
                       Rows rows, float* out);
  /// grad_bias is added to.
  void (*add_residual_backward)(const float* gradient, float scale, DropoutMask mask, Rows rows,
                                T* grad_y, float* grad_bias);

  /// h (frames, 2 · channels) → y (frames, channels) = depthwise(a · sigmoid(b)), a | b = h + bias,
  /// zero beyond the valid frames; with mean and summed squared deviation over the valid frames of
  /// each channel. Weight (channels, taps).
  void (*gated_depthwise)(const T* h, const float* bias, const float* weight,
                          const float* weight_bias, StripShape shape, float* scratch, float* y,
                          float* mean, float* squares);
  /// The gradient of y is affine[0] · gradient + affine[1] · y + affine[2], affine (3, channels).
  /// All results are overwritten, none accumulated.
  void (*gated_depthwise_backward)(const T* h, const float* bias, const float* weight,
                                   const float* gradient, const float* y, const float* affine,
                                   StripShape shape, float* scratch, T* grad_h, float* grad_bias,
                                   float* grad_weight, float* grad_weight_bias);

  /// out = activation(y · scale + shift), relu or swish
  void (*affine_activate)(const float* y, const float* scale, const float* shift,
                          Activation activation, Rows rows, T* out);
  /// Gradient of y · scale + shift; its sum, and its sum times (y − mean), are added to.
  void (*affine_activate_backward)(const T* gradient, const float* y, const float* scale,
                                   const float* shift, const float* mean, Activation activation,
                                   Rows rows, float* grad_z, float* sum, float* sum_y);

  /// One head: softmax(q kᵀ / √width + table[distance]) v over the keys that a query sees, dropout
  /// on the weights, whose place is (query, key) in (frames, frames). out (frames, heads · width):
  /// this head's columns, zero beyond the valid frames. log_sums (valid).
  void (*attend)(const T* h, const float* bias, const float* table, AttentionShape shape,
                 int64_t head, DropoutMask mask, float* scratch, T* out, float* log_sums);
  /// This head's columns of grad_h and grad_bias are written, grad_table is added to.
  void (*attend_backward)(const T* gradient, const T* h, const float* bias, const float* table,
                          const float* log_sums, AttentionShape shape, int64_t head,
                          DropoutMask mask, float* scratch, T* grad_h, float* grad_bias,
                          float* grad_table);

  /// One head: softmax((q kᵀ + (q + offset) pᵀ) / √width) v, p the row of the distance, as
  /// attend(). offset (heads, width).
  void (*attend_positions)(const T* h, const float* bias, const float* offset,
                           HeadPositions positions, AttentionShape shape, int64_t head,
                           DropoutMask mask, float* scratch, T* out, float* log_sums);
  /// This head's columns of grad_h, grad_bias and grad_offset are written, grad_rows is added to.
  void (*attend_positions_backward)(const T* gradient, const T* h, const float* bias,
                                    const float* offset, HeadPositions positions,
                                    const float* log_sums, AttentionShape shape, int64_t head,
                                    DropoutMask mask, float* scratch, T* grad_h, float* grad_bias,
                                    float* grad_offset, float* grad_rows);

  /// A long utterance, one head (shape.heads = 1): keys and values from h (frames, 3 · width).
  void (*gather_head)(const T* h, const float* bias, AttentionShape shape, HeadMemory memory);
  /// attend() without dropout for a band of queries, from the head's memory; out (frames, width).
  void (*attend_band)(const T* h, const float* bias, const float* table, AttentionShape shape,
                      HeadMemory memory, QueryBand band, float* scratch, T* out);
  /// attend_positions() likewise; only positions.columns are read.
  void (*attend_band_positions)(const T* h, const float* bias, const float* offset,
                                HeadPositions positions, AttentionShape shape, HeadMemory memory,
                                QueryBand band, float* scratch, T* out);
};

struct ModelKernels {
  const char* name;
  PlainKernels plain;
  TypedKernels<float> fp32;
  TypedKernels<Bf16> bf16;
};

const ModelKernels& portable_model_kernels();
const ModelKernels& avx2_model_kernels();
const ModelKernels& avx512_model_kernels();
/// The fastest that this processor supports.
const ModelKernels& model_kernels();

}  // namespace scion
