// What all routes to the transducer loss share: the checked batch, its division into work, and
// the recursion over every utterance's lattice. Internal to scion/loss.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "scion/loss/transducer_loss.h"

namespace scion {

/// "(4, 80, 12)", for messages.
std::string shape_text(const at::Tensor& tensor);

/// Whether an operation on these tensors will be gone through backward.
bool wants_gradient(std::initializer_list<at::Tensor> tensors);

/// What the arcs of a lattice stand for.
struct LatticeRules {
  int64_t blank = 0;
  double fast_emit = 0, delay_penalty = 0;  ///< as in TransducerLossOptions
  Topology topology = Topology::regular;
};

/// The labels and sizes of a batch, checked. Each frame has a row of nodes (t, u): all states of
/// the utterance or, in a band, `width` of them from first_of(b, t) on, of which those behind the
/// last state are none. Nodes are counted n = t · width_of(b) + u − first_of(b, t).
class LatticeBatch {
 public:
  LatticeBatch() = default;
  /// tokens (B, U), frames (B), states (B): int64 on the CPU, contiguous, checked before
  LatticeBatch(at::Tensor tokens, at::Tensor frames, at::Tensor states, int64_t max_frames,
               const LatticeRules& rules);
  /// Its states from `first` (B, T) int64 on, contiguous, each in 0 … U + 1 − width. On a device it
  /// is for kernels alone: first_of() reads it on the CPU.
  LatticeBatch band(at::Tensor first, int64_t width) const;

  int64_t size() const { return size_; }
  int64_t max_frames() const { return max_frames_; }  ///< T of the tensors
  int64_t max_states() const { return max_states_; }  ///< U + 1 of the tensors
  int64_t max_width() const { return first_data_ == nullptr ? max_states_ : band_width_; }
  const LatticeRules& rules() const { return rules_; }
  int64_t blank() const { return rules_.blank; }
  int64_t frames_of(int64_t b) const { return frames_data_[b]; }
  int64_t states_of(int64_t b) const { return states_data_[b]; }  ///< labels + 1
  int64_t width_of(int64_t b) const { return first_data_ == nullptr ? states_of(b) : band_width_; }
  int64_t first_of(int64_t b, int64_t t) const {
    return first_data_ == nullptr ? 0 : first_data_[b * max_frames_ + t];
  }
  int64_t nodes_of(int64_t b) const { return frames_of(b) * width_of(b); }
  const int64_t* labels_of(int64_t b) const { return tokens_data_ + b * (max_states_ - 1); }

  const at::Tensor& tokens() const { return tokens_; }
  const at::Tensor& frames() const { return frames_; }
  const at::Tensor& states() const { return states_; }
  const at::Tensor& first() const { return first_; }  ///< of a band; else undefined

 private:
  at::Tensor tokens_, frames_, states_, first_;
  int64_t size_ = 0, max_frames_ = 0, max_states_ = 0, band_width_ = 0;
  LatticeRules rules_;
  // A tensor's data_ptr is a call; inner loops ask for these.
  const int64_t *tokens_data_ = nullptr, *frames_data_ = nullptr, *states_data_ = nullptr,
                *first_data_ = nullptr;
};

/// UserErrors: not float32, bfloat16 or float16; the joiner's tensors (B, T, D), (B, U+1, D), (V,
/// D), (V) and tokens (B, U) do not fit together.
void check_float_type(const at::Tensor& tensor, const char* name);
void check_joiner_shapes(const at::Tensor& encoder, const at::Tensor& predictor,
                         const at::Tensor& weight, const at::Tensor& bias,
                         const at::Tensor& tokens);

/// UserError on wrong shapes or types, lengths or labels out of range, a label equal to blank,
/// rules that are not finite.
/// `max_frames` and `classes` are the logits' T and V; U comes from the tokens.
LatticeBatch check_lattice_batch(int64_t size, int64_t max_frames, int64_t classes,
                                 const at::Tensor& tokens, const at::Tensor& frame_lengths,
                                 const at::Tensor& token_lengths, const LatticeRules& rules);

/// Frames [begin, end) of one utterance.
struct FrameRange {
  int64_t utterance, begin, end;
};
/// Every utterance once, or in several pieces where there are few. Depends on the shapes only, so
/// that sums over segments come out the same for any number of threads.
std::vector<FrameRange> divide(const LatticeBatch& batch);
/// Segments of each utterance in `divide`: the same number for all (some may be empty).
int64_t segments_per_utterance(const LatticeBatch& batch);

/// Runs f(0) … f(count − 1), each once, on as many threads as libtorch uses.
void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f);

/// Per node: log-sum-exp of the logits, then blank and next label, and for distillation all other
/// classes, (3 or 4, B, T, width) float; an utterance's own nodes lie densely at the start of its
/// part.
class NodeTerms {
 public:
  explicit NodeTerms(at::Tensor storage);
  static NodeTerms make(const LatticeBatch& batch, bool with_rest = false);

  float* log_sum(int64_t b) const { return part(0, b); }
  float* blank(int64_t b) const { return part(1, b); }  ///< log-probability; later the arc's flow
  float* label(int64_t b) const { return part(2, b); }
  bool has_rest() const { return storage_.size(0) > 3; }
  float* rest(int64_t b) const { return part(3, b); }  ///< log-probability, −∞ for no class
  /// Blank and label terms as (B, T, U+1) each, zero where an utterance has no node.
  std::pair<at::Tensor, at::Tensor> arcs(const LatticeBatch& batch) const;
  const at::Tensor& storage() const { return storage_; }

  /// From rows of logits (`count` nodes from `first`, `stride` apart) of utterance b.
  void set(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count, const float* logits,
           int64_t stride, int64_t classes);
  /// The fourth term, after set(); of whole lattices only.
  void set_rest(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count,
                const float* logits, int64_t stride, int64_t classes);
  /// Blank and label of `count` nodes from `first`: rows are log-probabilities once their sums (one
  /// a row; nullptr: zeros) are taken off.
  template <class T>
  void set_arcs(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count, const T* rows,
                int64_t stride, const float* sums);

 private:
  float* part(int64_t which, int64_t b) const { return data_ + (which * size_ + b) * stride_; }
  at::Tensor storage_;
  float* data_;
  int64_t size_, stride_;
};

/// The recursion: losses (B) float. With `flows`, blank and label terms become minus the loss's
/// derivatives by them (with FastEmit's weight): the probabilities that an alignment uses these
/// arcs, zero throughout an utterance whose loss is not finite.
at::Tensor solve_lattices(const LatticeBatch& batch, NodeTerms& terms, bool flows);
/// Its three steps: in the topology `constrained` a label's term becomes that of its arc, which
/// counts the blank behind it, too; the recursion, with the arcs' own flows; what flows through a
/// label's arc is added to that blank's flow.
void constrain_arcs(const LatticeBatch& batch, NodeTerms& terms);
at::Tensor solve_arcs(const LatticeBatch& batch, NodeTerms& terms, bool flows);
void share_flows(const LatticeBatch& batch, NodeTerms& terms);

/// What the delay penalty adds to the label of frame t.
float earliness(const LatticeBatch& batch, int64_t b, int64_t t);

/// Nodes that alignments pass with less probability get no gradient: all of them together weigh
/// less than the rounding of a float sum.
inline constexpr float kNegligibleFlow = 1e-10f;
/// The same where factors are rounded to bfloat16, eight bits.
inline constexpr float kNegligibleFlowInBFloat16 = 1e-6f;

/// The gradient of a node's logits: `others` times each class's probability, but for blank and next
/// label `arcs` times theirs, less what is asked for there.
struct NodeGradient {
  float others = 0, arcs = 0;
  float blank = 0, label = 0;
  int64_t blank_class = 0, label_class = kNoLabel;
  static constexpr int64_t kNoLabel = -1;
};
/// The class of state u's next label, or kNoLabel.
int64_t next_label(const LatticeBatch& batch, int64_t b, int64_t u);
/// weight · ∂loss/∂logits of node n = (t, u), from its flows: weight · (flow · softmax − arcs).
NodeGradient node_gradient(const LatticeBatch& batch, const NodeTerms& terms, int64_t b, int64_t n,
                           int64_t u, float weight);
/// out[k], k < classes, from the logits and their log-sum; `out` may be where the logits are.
void write_gradient(const NodeGradient& gradient, const float* logits, float log_sum,
                    int64_t classes, float* out);

}  // namespace scion
