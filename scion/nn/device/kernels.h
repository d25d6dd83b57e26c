// The loops between a Conformer's matrix products on a device: arguments and launch sizes. No torch
// here. The bodies are in kernels.inc and the files it includes, over a Thread as in
// scion/loss/device/kernels.inc: nvcc compiles them for a GPU, the tests run them on the CPU.
#pragma once

#include <math.h>

#include <cstdint>

#include "scion/core/device/launch.h"
#include "scion/core/device/numbers.h"
#include "scion/nn/cpu/kernels.h"

namespace scion {

/// A DropoutMask of a whole tensor in the form of a kernel: the same elements, from the same
/// numbers.
struct DeviceDropout {
  uint32_t low = 0, high = 0, threshold = 0;
  float scale = 1;

  DeviceDropout() = default;
  DeviceDropout(uint64_t key, double rate)
      : low(static_cast<uint32_t>(key)),
        high(static_cast<uint32_t>(key >> 32)),
        threshold(static_cast<uint32_t>(rate * 4294967296.0)),
        scale(static_cast<float>(1 / (1 - rate))) {}
};

/// Rows and columns in tiles: a block has kTileRows rows, in turn for its warps, of 32 columns or,
/// if the width allows 16-byte accesses, of 128. Sums over rows are taken within tiles, then over
/// them, so that their order is fixed.
inline constexpr int kTileRows = 32;
struct RowTiles {
  int64_t rows, width;

  SCION_DEVICE int each() const { return width % 4 == 0 ? 4 : 1; }
  SCION_DEVICE int64_t column_tiles() const {
    return (width + kWarp * each() - 1) / (kWarp * each());
  }
  SCION_DEVICE int64_t row_tiles() const { return (rows + kTileRows - 1) / kTileRows; }
  /// `sums` of each column that a tile adds up.
  Launch launch(int sums = 0) const {
    return {row_tiles() * column_tiles(), kBlock, sums * each() * kBlock * int64_t{sizeof(float)}};
  }
};

/// out = dropout(in)
struct DropoutArguments {
  RowTiles tiles;
  Number type;
  const void* in;
  DeviceDropout dropout;
  void* out;
};

/// out = dropout(activation(h + bias)); its gradient from `gradient`, with `sums` of it over the
/// rows of each tile, (row tiles, width).
struct ActivateArguments {
  RowTiles tiles;
  Number type;  // of h, out and gradients
  const void* h;
  const float* bias;
  Activation activation;
  DeviceDropout dropout;
  void* out;
  const void* gradient;
  void* grad_h;
  float* sums;
};

/// out = x + scale · dropout(y + bias); the gradient of y from that of out.
struct ResidualArguments {
  RowTiles tiles;
  Number type;     // of y and its gradient
  const float* x;  // also the gradient of out
  const void* y;
  const float* bias;
  float scale;
  DeviceDropout dropout;
  float* out;
  void* grad_y;
  float* sums;  // (row tiles, width)
};

/// out = LayerNorm(x), one warp per row. Backward, a block of kTileRows rows: `sums` of the
/// gradients of weight, then bias, (row tiles, 2, width).
struct NormArguments {
  int64_t rows, width;
  Number type;  // of out and its gradient
  const float *x, *weight, *bias;
  float* statistics;  // (rows, 2): mean, one over the deviation
  void* out;
  const void* gradient;
  float *grad_x, *sums;

  Launch launch() const { return {(rows + kBlock / kWarp - 1) / (kBlock / kWarp), kBlock, 0}; }
  Launch backward_launch() const { return {(rows + kTileRows - 1) / kTileRows, kBlock, 0}; }
};

/// A batch of utterances of which the first lengths[b] frames are valid; time is divided into tiles
/// of kTileRows frames, none of which belongs to two utterances.
struct TimeTiles {
  int64_t utterances, frames, channels;
  const int64_t* lengths;

  SCION_DEVICE int64_t column_tiles() const { return (channels + kWarp - 1) / kWarp; }
  SCION_DEVICE int64_t tiles_each() const { return (frames + kTileRows - 1) / kTileRows; }
  SCION_DEVICE int64_t time_tiles() const { return utterances * tiles_each(); }
  Launch launch(int sums = 0) const {
    return {time_tiles() * column_tiles(), kBlock, sums * kBlock * int64_t{sizeof(float)}};
  }
  /// One block per channel, with room for one sum of each thread.
  Launch channels_launch() const { return {channels, kBlock, kBlock * int64_t{sizeof(double)}}; }
};

/// The convolution module between its two maps, in the steps that kernels.h of nn/cpu takes at
/// once. y (B, T, C) float = depthwise(gated), gated (B, T, C) = GLU(h + bias), 0 beyond the
/// lengths.
struct ConvolutionArguments {
  TimeTiles tiles;
  Number type;  // of h, gated, out and their gradients
  int64_t taps, past, chunk;
  const void* h;
  const float *bias, *weight, *weight_bias;  // weight (taps, C)
  void* gated;
  float* y;
  float* statistics;  // (time tiles, 2, C): mean and summed squared deviation

  // Batch normalisation: momentum < 0 takes the running statistics as they are.
  const float *norm_weight, *norm_bias;
  float *running_mean, *running_variance;
  float momentum;
  float* norm;  // (4, C): scale, shift, mean, one over the deviation
  Activation activation;
  void* out;

  // Backward.
  const void* gradient;   // of out
  float* grad_z;          // (B, T, C), of the normalised y; then of y
  float* norm_sums;       // (time tiles, 2, C): of grad_z and of grad_z · (y − mean)
  float* affine;          // (3, C): the gradient of y is a · grad_z + b · y + c
  float* grad_norm;       // (2, C): of norm_weight and norm_bias
  void* grad_h;           // (B, T, 2C)
  float* grad_bias;       // (time tiles, 2, C)
  float* grad_weight;     // (groups of tiles, taps + 1, C): of the taps, then of their bias
  int64_t tiles_a_group;  // time tiles whose weights' gradients one block sums

  SCION_DEVICE int64_t groups() const {
    return (tiles.time_tiles() + tiles_a_group - 1) / tiles_a_group;
  }
  Launch weights_launch() const { return {groups() * tiles.column_tiles(), kBlock, 0}; }
};

/// Self-attention over stacked queries | keys | values h (B, T, 3 · H · d) and two matrix products:
/// heads are gathered as (H, B, T', d), T' = T rounded up; scores are (H, B, T', T').
struct AttentionArguments {
  int64_t utterances, frames, heads, width, padded_frames;
  const int64_t* lengths;
  int64_t chunk, left;  // as in AttentionSpan
  Number type;          // of everything without another type

  const void* h;
  const float* bias;                                   // (3 · H · d)
  const float *content_offset, *position_offset;       // (H · d) or nullptr
  void *content_query, *position_query, *key, *value;  // position_query or nullptr

  // Scores: content (H, B, T', T') and by distance T − 1 … −(T − 1) (H, B, T', distances), or a
  // table (H, 2 · range + 1).
  const void *content, *position;
  int64_t distances;
  const float* table;
  int64_t range;
  DeviceDropout dropout;
  void *weights, *dropped;  // softmax; with dropout, nullptr without

  // Backward.
  const void* grad_dropped;  // (H, B, T', T')
  void *grad_content, *grad_position;
  float* grad_table;  // (B, H, 2 · range + 1)
  const void *grad_content_query, *grad_position_query, *grad_key, *grad_value;
  void* grad_h;
  float* sums;  // (row tiles, 4, H · d): of content queries, keys, values, position queries

  SCION_DEVICE int64_t rows() const { return utterances * heads * padded_frames; }
  SCION_DEVICE int64_t columns() const { return heads * width; }
  SCION_DEVICE float scale() const { return 1 / sqrtf(static_cast<float>(width)); }
  /// One warp per row of the heads, or of the scores.
  Launch rows_launch() const {
    return {(rows() + kBlock / kWarp - 1) / (kBlock / kWarp), kBlock, 0};
  }
  SCION_DEVICE RowTiles tiles() const { return {utterances * frames, columns()}; }
  Launch table_launch() const {
    return {utterances * heads * (2 * range + 1), kBlock, kBlock * int64_t{sizeof(float)}};
  }
};

/// Each launches its kernels on a stream and returns at once; without work it launches nothing.
struct ModelDeviceKernels {
  void (*dropout)(const DropoutArguments&, void* stream);
  void (*activate)(const ActivateArguments&, void* stream);
  void (*activate_backward)(const ActivateArguments&, void* stream);
  void (*add_residual)(const ResidualArguments&, void* stream);
  void (*add_residual_backward)(const ResidualArguments&, void* stream);
  void (*layer_norm)(const NormArguments&, void* stream);
  void (*layer_norm_backward)(const NormArguments&, void* stream);

  void (*gated_depthwise)(const ConvolutionArguments&, void* stream);  ///< to `statistics`
  void (*normalise)(const ConvolutionArguments&, void* stream);        ///< to `out`
  void (*convolution_backward)(const ConvolutionArguments&, void* stream);

  void (*split_heads)(const AttentionArguments&, void* stream);
  void (*weigh)(const AttentionArguments&, void* stream);  ///< scores to weights
  void (*weigh_backward)(const AttentionArguments&, void* stream);
  void (*join_heads_backward)(const AttentionArguments&, void* stream);  ///< to grad_h and sums
};

}  // namespace scion
