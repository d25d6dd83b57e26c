// The elementwise loops between a Conformer's matrix products on the CPU, once for each instruction
// set. One pass over memory does what a chain of tensor operations does in many.
//
// Plain functions on raw pointers: the files behind them include no torch and no standard library,
// so that no inline function compiled for AVX-512 can end up in a portable caller. Every kernel
// works on a range of rows given by its pointers; callers divide the work.
#pragma once

#include <cstdint>

namespace scion {

/// The bits of a bfloat16.
using Bf16 = uint16_t;

enum class Activation { none, relu, swish };

/// Which elements dropout keeps: a function of the key and of an element's place in its tensor.
struct DropoutMask {
  uint64_t key = 0;
  double rate = 0;    ///< 0: all are kept
  int64_t first = 0;  ///< place of the first element that a kernel is given
};

/// Rows that a kernel works on: `count` of `width` elements each, one behind the other.
struct Rows {
  int64_t count, width;
};

/// What does not depend on the type T in which a matrix product's operands are kept.
struct PlainKernels {
  /// out = dropout(x)
  void (*dropout)(const float* x, DropoutMask mask, int64_t count, float* out);
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
  void (*add_residual)(const float* x, const T* y, const float* bias, float scale,
                       DropoutMask mask, Rows rows, float* out);
  /// grad_bias is added to.
  void (*add_residual_backward)(const float* gradient, float scale, DropoutMask mask, Rows rows,
                                T* grad_y, float* grad_bias);
};

struct ModelKernels {
  const char* name;
  PlainKernels plain;
  TypedKernels<float> fp32;
  TypedKernels<Bf16> bf16;
};

const ModelKernels& portable_model_kernels();
const ModelKernels& avx512_model_kernels();
/// The faster of them that this processor runs.
const ModelKernels& model_kernels();

}  // namespace scion
