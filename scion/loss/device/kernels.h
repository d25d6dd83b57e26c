// The kernels of the transducer losses on a device: arguments and launch sizes. No torch here. The
// bodies are in kernels.inc and the files it includes, over a Thread that knows its position: nvcc
// compiles them for a GPU (dispatch_cuda.cu), the tests run them on the CPU. Internal to
// scion/loss.
#pragma once

#include <cstdint>

#include "scion/core/device/launch.h"
#include "scion/core/device/numbers.h"
#include "scion/loss/lattice/negligible_flow.h"

namespace scion {

/// The nodes of a LatticeBatch in one array: node (t, u) of utterance b is
/// n = first_node[b] + t · width + u − the frame's first state, where `width` is a band's width or
/// the number of the utterance's states. Frames and states are numbered through in the same way.
struct PackedLattices {
  int64_t utterances, max_frames, max_states;             // B, T, U + 1
  const int64_t *first_node, *first_frame, *first_state;  // (B + 1) each: exclusive sums
  const int64_t* labels;                                  // (B, U)
  // A band's first state of each frame, (B, T), in 0 … U + 1 − width; nullptr: whole lattices.
  // Nodes of a band past an utterance's last state do not exist: their log-sum is NaN, their flow
  // 0.
  const int64_t* band;
  int64_t band_width;
};

/// Per node, (N) each.
struct DeviceTerms {
  float* log_sum;  ///< of the logits
  float* blank;    ///< log-probability; later the arc's flow
  float* label;
  float* rest;  ///< log-probability of all other classes, −∞ for none; or nullptr
};

/// A teacher's probabilities of blank, next label and all others, and the nodes' weights.
struct DeviceTargets {
  const float* probabilities;  // (3, B, T, U+1); nullptr: no teacher
  const float* weights;        // (B, T, U+1)
  // (B), once computed. NaN where logits are broken: that utterance gets no gradient.
  const float* divergences = nullptr;
};

/// hidden[r] = f(encoder(t) + predictor(u)), f = tanh or max(x, 0), for the nodes from `first` on;
/// one warp per node.
struct HiddenArguments {
  PackedLattices lattices;
  const float *encoder, *predictor;  // (B, T, width), (B, U+1, width)
  int64_t width, first, count;
  bool relu;     // else tanh
  Number type;   // of `hidden`
  void* hidden;  // (count, width)

  Launch launch() const { return {(count + kBlock / kWarp - 1) / (kBlock / kWarp), kBlock, 0}; }
};

/// Rows of logits: of the nodes from `first` on or, if `padded`, of all positions of (B, T, U+1)
/// (whole lattices only).
struct LogitsRows {
  const void* values;
  Number type;
  int64_t stride;
  bool padded;
};

/// Number of threads that share a row of `classes`: a power of two, at most 32.
SCION_DEVICE int threads_for(int64_t classes) {
  int threads = 1;
  while (threads < kWarp && threads * 4 < classes) threads *= 2;
  return threads;
}

/// The three terms of each node; NaN, −∞ and 0 for a node that does not exist.
struct TermsArguments {
  PackedLattices lattices;
  LogitsRows logits;
  const float* bias;  // (classes), added to the logits; or nullptr
  int64_t classes, blank, first, count;
  double delay_penalty;
  DeviceTerms terms;
  bool padded_terms;  // terms (B, T, U+1) instead of (N)
  bool normalised;    // the logits are log-probabilities already

  SCION_DEVICE int group() const { return threads_for(classes); }
  Launch launch() const {
    const int64_t rows = kBlock / group();
    return {(count + rows - 1) / rows, kBlock, 0};
  }
};

/// Threads of a block that processes an utterance: one per state, up to 1024.
inline int threads_of_states(int64_t states) {
  const int64_t threads = (states + kWarp - 1) / kWarp * kWarp;
  return static_cast<int>(threads < 1024 ? threads : 1024);
}

/// The recursion over every utterance's lattice. Nodes in frames 0 … T−1; an alignment ends with an
/// arc out of (T−1, U). Sums of log-probabilities are doubles: at 5000 frames a float's step is
/// 1e-3. The increment over a sum's greater term is between 0 and log 2 and is computed in the
/// arcs' type.
struct LatticeArguments {
  PackedLattices lattices;
  const void *blank, *label;  // log-probabilities of the arcs
  Number type;                // float32 or float64: theirs, the losses' and the flows'
  bool packed;                // arcs (N) each; else whole, blank (B, T, U+1), label (B, T, U)
  bool same_frame;            // a label leads to its own frame (regular); else to the next one
  // Packed arcs only: adds the blank that follows to each label's arc, and the arc's flow to that
  // blank's flow.
  bool constrained;
  int64_t nodes;

  double *alpha, *beta;     // (N); beta nullptr: losses only
  double* lines;            // if shared memory is too small: 2 · (U+1) per block; else nullptr
  double* log_probability;  // (B)
  void* losses;             // (B)
  // The second kernel, one thread per node: the probability that an alignment uses an arc. Zero if
  // the loss is not finite. May be the arcs' memory.
  void *blank_flow, *label_flow;
  double label_scale;  // of the label arcs' flows

  int64_t line_bytes() const { return 2 * lattices.max_states * int64_t{sizeof(double)}; }
  SCION_DEVICE int64_t passes() const { return beta != nullptr ? 2 : 1; }
  /// One block per utterance and direction.
  Launch launch() const {
    return {lattices.utterances * passes(), threads_of_states(lattices.max_states),
            lines == nullptr ? line_bytes() : 0};
  }
  Launch nodes_launch() const { return {(nodes + kBlock - 1) / kBlock, kBlock, 0}; }
};
/// Shared memory that every GPU offers a block.
inline constexpr int64_t kSharedBytes = int64_t{48} << 10;

/// Each utterance's divergence from its teacher, one block each, from all four terms; NaN where
/// logits are broken, whatever their weight.
struct DivergenceArguments {
  PackedLattices lattices;
  DeviceTerms terms;
  DeviceTargets targets;
  double delay_penalty;
  float* divergences;  // (B)

  Launch launch() const { return {lattices.utterances, kBlock, kBlock * int64_t{sizeof(double)}}; }
};

/// gradient[r] = weight · (flow · softmax − arcs) of every row, plus the divergence's gradient;
/// zero where the flow is negligible, and in the columns past the classes. In a tile the gradient
/// may overwrite its logits, each row starting where its logits' row does.
struct GradientArguments {
  PackedLattices lattices;
  LogitsRows logits;
  const float* bias;                     // (classes) or nullptr
  int64_t classes, blank, first, count;  // padded: all rows
  DeviceTerms terms;
  const float* weights;  // (B), upstream
  DeviceTargets targets;
  const float* divergence_weights;  // (B), upstream, with a teacher
  bool normalised;                  // as in TermsArguments
  Number type;  // of the gradient: the logits', or bfloat16 in memory of float32
  void* gradient;
  int64_t stride, columns;  // of the gradient
  void* hidden;             // of a tile, in the gradient's type; cleared where it is not finite
  int64_t width;            // of `hidden`

  SCION_DEVICE int group() const { return threads_for(classes); }
  Launch launch() const {
    const int64_t rows = kBlock / group();
    return {(count + rows - 1) / rows, kBlock, 0};
  }
};

/// Sums of hidden gradient · f' over a tile's nodes, added to the gradient of a line: over the
/// states of each frame for the encoder, over the frames of each state for the predictor. Every
/// line has separate blocks, so that the order of its sums is fixed.
struct InputGradientArguments {
  PackedLattices lattices;
  const float *encoder, *predictor;
  int64_t width, first, count;   // nodes of the tile
  bool relu;                     // f = max(x, 0), else tanh
  const float* hidden_gradient;  // (count, width)
  const float* log_sum;          // (N)
  bool to_encoder;               // lines are frames; else states
  int64_t first_line, lines;     // those that the tile touches
  float* gradient;               // (B, T, width) or (B, U+1, width)

  SCION_DEVICE int64_t column_blocks() const { return (width + kWarp - 1) / kWarp; }
  Launch launch() const {
    return {lines * column_blocks(), kBlock, kBlock * int64_t{sizeof(float)}};
  }
};

/// The CTC loss: states y' = blank, y1, blank, … blank, 2U + 1 of an utterance.
struct CtcArguments {
  PackedLattices lattices;
  const float* logits;  // (B, T, classes)
  int64_t classes, blank;
  float* log_sum;           // (B, T), of the logits
  double *alpha, *beta;     // (B, T, states()); beta nullptr: losses only
  double* lines;            // if shared memory is too small: 2 · states() per block; else nullptr
  double* log_probability;  // (B)
  float* losses;            // (B)
  const float* weights;     // (B), upstream
  float* gradient;          // (B, T, classes)

  SCION_DEVICE int64_t states() const { return 2 * lattices.max_states - 1; }
  SCION_DEVICE int64_t rows() const { return lattices.utterances * lattices.max_frames; }
  SCION_DEVICE int64_t passes() const { return beta != nullptr ? 2 : 1; }
  SCION_DEVICE int group() const { return threads_for(classes); }
  int64_t line_bytes() const { return 2 * states() * int64_t{sizeof(double)}; }
  Launch launch() const {
    return {lattices.utterances * passes(), threads_of_states(states()),
            lines == nullptr ? line_bytes() : 0};
  }
  Launch rows_launch() const {
    const int64_t each = kBlock / group();
    return {(rows() + each - 1) / each, kBlock, 0};
  }
};

/// Each launches its kernels on a stream and returns at once; without work it launches nothing.
struct DeviceKernels {
  void (*make_hidden)(const HiddenArguments&, void* stream);
  void (*node_terms)(const TermsArguments&, void* stream);
  void (*divergences)(const DivergenceArguments&, void* stream);
  void (*lattices)(const LatticeArguments&, void* stream);  // losses; with beta, flows, too
  void (*logits_gradient)(const GradientArguments&, void* stream);
  void (*add_input_gradients)(const InputGradientArguments&, void* stream);
  void (*ctc_lattices)(const CtcArguments&, void* stream);  // log-sums, losses, alpha and beta
  void (*ctc_gradient)(const CtcArguments&, void* stream);
};

}  // namespace scion
