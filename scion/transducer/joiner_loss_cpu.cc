// The joiner and the loss in one: logits are made tile by tile (some hundred nodes at a time), and
// of each node only three numbers are kept. The backward half makes the tiles once more, or reads
// those that found room in the workspace.
#include "scion/transducer/loss_cpu.h"
#include "scion/transducer/loss_kernels.h"

namespace scion {
namespace {

constexpr int64_t kTileBytes = int64_t{1} << 20;      // one thread's tile: a usual L2 cache
constexpr int64_t kPartialBytes = int64_t{64} << 20;  // partial sums of the weight's gradient

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Rows of one thread, `stride` apart, not initialised.
template <class Number>
class Rows {
 public:
  Rows(int64_t rows, int64_t stride)
      : storage_(at::empty({rows, stride}, std::is_integral_v<Number> ? at::kInt : at::kFloat)),
        data_(static_cast<Number*>(storage_.mutable_data_ptr())),
        stride_(stride) {}
  Number* row(int64_t r) const { return data_ + r * stride_; }
  int64_t stride() const { return stride_; }

 private:
  at::Tensor storage_;
  Number* data_;
  int64_t stride_;
};
using Tile = Rows<float>;
using PairTile = Rows<uint32_t>;  // pairs of bfloat16

/// A matrix (rows, columns) as the right-hand factor of `multiply`: panels of columns, padded
/// with zeros.
class PackedMatrix {
 public:
  /// In pairs of bfloat16 when there are kernels for them.
  PackedMatrix(const at::Tensor& matrix, const PairKernels* pairs)
      : depth_(matrix.size(0)),
        columns_(round_up(matrix.size(1), loss_kernels().lanes)),
        panel_(loss_kernels().panel),
        pairs_(pairs) {
    const int64_t panels = (columns_ + panel_ - 1) / panel_, width = panels * panel_;
    at::Tensor padded = at::zeros({depth_, width}, at::kFloat);
    padded.narrow(1, 0, matrix.size(1)).copy_(matrix);
    if (pairs_ != nullptr) {
      rows_ = (depth_ + 1) / 2;
      values_ = at::empty({rows_, width}, at::kInt);
      pairs_->pairs_across_rows(padded.const_data_ptr<float>(), width, depth_, width,
                                static_cast<uint32_t*>(values_.mutable_data_ptr()), width);
    } else {
      rows_ = depth_;
      values_ = padded;
    }
    values_ = values_.view({rows_, panels, panel_}).transpose(0, 1).contiguous();
  }
  int64_t columns() const { return columns_; }  ///< padded to whole vectors

  /// c = start + a · this, for `m` rows; `scratch` for a's pairs
  void multiply(int64_t m, const Tile& a, const PairTile& scratch, MatrixStart start, float* c,
                int64_t c_row) const {
    if (pairs_ == nullptr) {
      loss_kernels().multiply(m, columns_, rows_, a.row(0), a.stride(), 1,
                              values_.const_data_ptr<float>(), panel_, rows_ * panel_, start, c,
                              c_row);
    } else {
      pairs_->pairs_in_rows(a.row(0), a.stride(), m, depth_, scratch.row(0), scratch.stride());
      multiply(m, scratch, start, c, c_row);
    }
  }
  void multiply(int64_t m, const PairTile& a, MatrixStart start, float* c, int64_t c_row) const {
    pairs_->multiply(m, columns_, rows_, a.row(0), a.stride(), 1,
                     static_cast<const uint32_t*>(values_.const_data_ptr()), panel_, rows_ * panel_,
                     start, c, c_row);
  }

 private:
  int64_t depth_, columns_, panel_;
  const PairKernels* pairs_;
  int64_t rows_ = 0;  // of values, or of pairs
  at::Tensor values_;
};

/// What both halves need: the inputs' places and the sizes of a tile.
struct JoinerView {
  const LatticeBatch& batch;
  const float *encoder, *predictor;
  at::Tensor bias;                        // padded to whole vectors
  int64_t hidden, classes;                // D, V
  int64_t hidden_stride, classes_stride;  // one more vector keeps rows off the same cache sets
  int64_t tile_rows;
  const PairKernels* pairs;  // nullptr: products in float

  JoinerView(const LatticeBatch& lattices, const JoinerTensors& joiner, bool bf16)
      : batch(lattices),
        encoder(joiner.encoder.const_data_ptr<float>()),
        predictor(joiner.predictor.const_data_ptr<float>()),
        hidden(joiner.weight.size(1)),
        classes(joiner.weight.size(0)),
        pairs(bf16 ? pair_kernels() : nullptr) {
    const int64_t lanes = loss_kernels().lanes;
    hidden_stride = round_up(hidden, lanes) + lanes;
    classes_stride = round_up(classes, lanes) + lanes;
    bias = at::zeros({classes_stride}, at::kFloat);
    bias.narrow(0, 0, classes).copy_(joiner.bias);
    const int64_t row_bytes = 4 * (2 * hidden_stride + classes_stride);
    tile_rows = std::clamp<int64_t>(kTileBytes / row_bytes, 24, 480) / 24 * 24;  // whole blocks
  }

  Tile hidden_tile() const { return {tile_rows, hidden_stride}; }
  Tile classes_tile() const { return {tile_rows, classes_stride}; }
  /// Holds pairs along or across the rows of either tile.
  PairTile pair_tile() const {
    return {pairs != nullptr ? tile_rows : 0, std::max(hidden_stride, classes_stride) / 2};
  }

  /// tanh(encoder(t) + predictor(u)) for `count` label positions from u, zeros up to a whole vector
  void hidden_rows(int64_t b, int64_t t, int64_t u, int64_t count, float* out) const {
    const auto tanh_of_sums = pairs != nullptr ? pairs->tanh_of_sums : loss_kernels().tanh_of_sums;
    tanh_of_sums(frame(b, t), state(b, u), hidden, count, hidden, out, hidden_stride);
    for (int64_t r = 0; r < count; ++r) {
      std::fill(out + r * hidden_stride + hidden, out + (r + 1) * hidden_stride, 0.F);
    }
  }
  /// The same as pairs in rows.
  void hidden_pairs(int64_t b, int64_t t, int64_t u, int64_t count, uint32_t* out,
                    int64_t stride) const {
    pairs->pairs_of_tanh(frame(b, t), state(b, u), hidden, count, hidden, out, stride);
  }
  MatrixStart from_bias() const { return {bias.const_data_ptr<float>(), 0}; }

 private:
  const float* frame(int64_t b, int64_t t) const {
    return encoder + (b * batch.max_frames() + t) * hidden;
  }
  const float* state(int64_t b, int64_t u) const {
    return predictor + (b * batch.max_states() + u) * hidden;
  }
};

/// What the forward half leaves for the backward half, of every utterance, in turn, that still
/// finds room in the workspace: logits, or with products in bfloat16 the softmax, rounded as the
/// gradient that is made of it will be. Which utterances these are depends on shapes only.
class KeptNodes {
 public:
  /// `bytes` 0: none are kept. Without `storage` a new one is made.
  KeptNodes(const JoinerView& view, int64_t bytes, at::Tensor storage = {})
      : view_(view), storage_(std::move(storage)), begin_(view.batch.size(), kNone) {
    const at::ScalarType type = view.pairs != nullptr ? at::kBFloat16 : at::kFloat;
    const int64_t row_bytes = stride() * static_cast<int64_t>(at::elementSize(type));
    int64_t rows = 0;
    for (int64_t b = 0; b < view.batch.size(); ++b) {
      if ((rows + view.batch.nodes_of(b)) * row_bytes > bytes) continue;
      begin_[b] = rows;
      rows += view.batch.nodes_of(b);
    }
    if (!storage_.defined()) {
      storage_ = at::empty({rows, stride()}, type);
      ask_for_huge_pages(storage_);
    }
    data_ = storage_.mutable_data_ptr();
  }
  bool holds(int64_t b) const { return begin_[b] != kNone; }
  bool holds_all() const { return std::find(begin_.begin(), begin_.end(), kNone) == begin_.end(); }
  int64_t stride() const { return view_.classes_stride; }
  /// Where the logits of a node and those behind it belong; nullptr if not here.
  float* logits(int64_t b, int64_t n) const {
    return holds(b) && view_.pairs == nullptr ? static_cast<float*>(data_) + place(b, n) : nullptr;
  }
  /// Of `count` nodes, whose logits are elsewhere.
  void keep_softmax(int64_t b, int64_t n, int64_t count, const Tile& logits,
                    const NodeTerms& terms) const {
    if (!holds(b) || view_.pairs == nullptr) return;
    const int64_t width = view_.batch.width_of(b);
    for (int64_t r = 0; r < count; ++r, ++n) {
      const float log_sum = terms.log_sum(b)[n];
      const float* const row = logits.row(r);
      const auto [blank, label] = arcs(b, view_.batch.first_of(b, n / width) + n % width);
      view_.pairs->softmax(row, view_.classes, log_sum, half(b, n));
      exact(b, n)[0] = std::exp(row[blank] - log_sum);
      exact(b, n)[1] = std::exp(row[label] - log_sum);
    }
  }
  NodeSoftmax softmax(int64_t b, int64_t n, int64_t u, const NodeTerms& terms) const {
    if (view_.pairs == nullptr) return {logits(b, n), terms.log_sum(b)[n]};
    const auto [blank, label] = arcs(b, u);
    return {half(b, n), exact(b, n), blank, label};
  }
  const at::Tensor& storage() const { return storage_; }

 private:
  static constexpr int64_t kNone = -1;
  int64_t place(int64_t b, int64_t n) const { return (begin_[b] + n) * stride(); }
  uint16_t* half(int64_t b, int64_t n) const { return static_cast<uint16_t*>(data_) + place(b, n); }
  /// Two probabilities in float, in the vector behind the rounded ones.
  float* exact(int64_t b, int64_t n) const {
    return reinterpret_cast<float*>(half(b, n) + stride() - loss_kernels().lanes);
  }
  /// Blank and the next label; blank once more where there is none.
  std::pair<int64_t, int64_t> arcs(int64_t b, int64_t u) const {
    const int64_t blank = view_.batch.blank();
    return {blank, u + 1 < view_.batch.states_of(b) ? view_.batch.labels_of(b)[u] : blank};
  }

  const JoinerView& view_;
  at::Tensor storage_;
  std::vector<int64_t> begin_;  // by utterance, in rows
  void* data_;
};

// ---- the forward half --------------------------------------------------------------------------

void solve_segment(const JoinerView& joiner, const PackedMatrix& to_logits, const Segment& segment,
                   const KeptNodes& kept, NodeTerms& terms) {
  const auto [b, begin, end] = segment;
  const int64_t width = joiner.batch.width_of(b), last = end * width;
  const bool in_pairs = joiner.pairs != nullptr;
  const Tile hidden(in_pairs ? 0 : joiner.tile_rows, joiner.hidden_stride);
  const bool in_place = kept.logits(b, 0) != nullptr;
  const Tile own(in_place ? 0 : joiner.tile_rows, joiner.classes_stride);
  const PairTile pairs = joiner.pair_tile();
  int64_t t = begin, i = 0;
  for (int64_t n = begin * width; n < last; n += joiner.tile_rows) {
    const int64_t rows = std::min(joiner.tile_rows, last - n);
    for (int64_t r = 0; r < rows;) {
      const int64_t count = std::min(width - i, rows - r);
      const int64_t u = joiner.batch.first_of(b, t) + i;
      if (in_pairs)
        joiner.hidden_pairs(b, t, u, count, pairs.row(r), pairs.stride());
      else
        joiner.hidden_rows(b, t, u, count, hidden.row(r));
      r += count;
      i += count;
      if (i == width) ++t, i = 0;
    }
    float* const logits = in_place ? kept.logits(b, n) : own.row(0);
    const int64_t stride = in_place ? kept.stride() : own.stride();
    if (in_pairs)
      to_logits.multiply(rows, pairs, joiner.from_bias(), logits, stride);
    else
      to_logits.multiply(rows, hidden, pairs, joiner.from_bias(), logits, stride);
    terms.set(joiner.batch, b, n, rows, logits, stride, joiner.classes);
    if (terms.has_rest()) terms.set_rest(joiner.batch, b, n, rows, logits, stride, joiner.classes);
    kept.keep_softmax(b, n, rows, own, terms);
  }
}

// ---- the backward half -------------------------------------------------------------------------

/// Sums over one run of segments.
struct Partial {
  at::Tensor weight;  // (V, D padded)
  at::Tensor bias;    // (V)
};

class BackwardPass {
 public:
  BackwardPass(const LatticeBatch& batch, const JoinerTensors& joiner,
               const JoinerSolution& solution, const LossWeights& weights,
               const JoinerSettings& settings, const TargetNodes& targets)
      : batch_(batch),
        view_(batch, joiner, settings.bf16),
        terms_(solution.lattice.terms),
        kept_(view_, settings.workspace_bytes, solution.kept),
        targets_(targets),
        weights_(weights.transducer.to(at::kFloat).contiguous()),
        divergence_weights_(targets ? weights.divergence.to(at::kFloat).contiguous()
                                    : at::zeros_like(weights_)),
        segments_(divide(batch)),
        to_hidden_(joiner.weight, view_.pairs),
        encoder_(at::zeros_like(joiner.encoder)),
        predictor_(at::zeros(
            {batch.size(), segments_per_utterance(batch), batch.max_states(), view_.hidden},
            at::kFloat)) {
    if (!kept_.holds_all()) to_logits_.emplace(joiner.weight.t(), view_.pairs);
  }

  JoinerTensors run() {
    const auto segments = static_cast<int64_t>(segments_.size());
    // Their number depends on shapes only: the sums are the same for any number of threads.
    const int64_t bytes = 4 * view_.classes * weight_stride();
    const int64_t count =
        std::clamp<int64_t>(kPartialBytes / bytes, 1, std::clamp<int64_t>(segments, 1, 16));
    std::vector<Partial> partials(count);
    for_each_in_parallel(count, [&](int64_t i) {
      partials[i] = sum_segments(i * segments / count, (i + 1) * segments / count);
    });
    for (int64_t i = 1; i < count; ++i) {
      partials[0].weight += partials[i].weight;
      partials[0].bias += partials[i].bias;
    }
    return {encoder_, predictor_.sum(1), partials[0].weight.narrow(1, 0, view_.hidden),
            partials[0].bias};
  }

 private:
  struct Node {
    int64_t n, t, u;
  };
  /// One thread's nodes with gradient, gathered until a tile is full.
  struct Work {
    int64_t segment = 0, utterance = 0;
    std::vector<Node> nodes;
    Tile hidden, hidden_gradient, gradient;
    PairTile pairs, other_pairs;
    Partial sums;
  };

  /// f(first, count) for each run of neighbouring label positions in one frame.
  template <class F>
  static void for_each_run(const std::vector<Node>& nodes, F f) {
    for (size_t first = 0, next = 0; first < nodes.size(); first = next) {
      for (next = first + 1; next < nodes.size() && nodes[next].n == nodes[next - 1].n + 1 &&
                             nodes[next].t == nodes[first].t;) {
        ++next;
      }
      f(static_cast<int64_t>(first), static_cast<int64_t>(next - first));
    }
  }

  /// One more vector, as in the tiles.
  int64_t weight_stride() const { return to_hidden_.columns() + loss_kernels().lanes; }

  Partial sum_segments(int64_t begin, int64_t end) {
    Work work{.nodes = {},
              .hidden = view_.hidden_tile(),
              .hidden_gradient = view_.hidden_tile(),
              .gradient = view_.classes_tile(),
              .pairs = view_.pair_tile(),
              .other_pairs = view_.pair_tile(),
              .sums = {at::zeros({view_.classes, weight_stride()}, at::kFloat),
                       at::zeros({view_.classes}, at::kFloat)}};
    for (int64_t i = begin; i < end; ++i) {
      work.segment = i;
      work.utterance = segments_[i].utterance;
      visit_segment(work);
    }
    return work.sums;
  }

  void visit_segment(Work& work) {
    const auto [b, begin, end] = segments_[work.segment];
    const int64_t width = batch_.width_of(b);
    const float* const blank = terms_.blank(b);
    const float* const label = terms_.label(b);
    const float least_flow = view_.pairs != nullptr ? kNegligibleFlowInBFloat16 : kNegligibleFlow;
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t i = 0; i < width; ++i) {
        const int64_t n = t * width + i, u = batch_.first_of(b, t) + i;
        if (blank[n] + label[n] < least_flow && targets_.weight(b, t, u) < least_flow) continue;
        work.nodes.push_back({n, t, u});
        if (static_cast<int64_t>(work.nodes.size()) == view_.tile_rows) finish_tile(work);
      }
    }
    finish_tile(work);
  }

  void finish_tile(Work& work) {
    if (work.nodes.empty()) return;
    make_logits_gradient(work);
    add_parameter_gradients(work);
    add_input_gradients(work);
    work.nodes.clear();
  }

  void make_logits_gradient(Work& work) {
    const int64_t b = work.utterance, rows = work.nodes.size();
    for_each_run(work.nodes, [&](int64_t r, int64_t count) {
      view_.hidden_rows(b, work.nodes[r].t, work.nodes[r].u, count, work.hidden.row(r));
    });
    const bool kept = kept_.holds(b);
    if (!kept) {
      to_logits_->multiply(rows, work.hidden, work.pairs, view_.from_bias(), work.gradient.row(0),
                           work.gradient.stride());
    }
    const NodeWeights weights{weights_.const_data_ptr<float>()[b],
                              divergence_weights_.const_data_ptr<float>()[b]};
    for (int64_t r = 0; r < rows; ++r) {
      float* const row = work.gradient.row(r);
      const Node& node = work.nodes[r];
      const NodeSoftmax softmax = kept ? kept_.softmax(b, node.n, node.u, terms_)
                                       : NodeSoftmax(row, terms_.log_sum(b)[node.n]);
      if (targets_)
        distilled_node_gradient(batch_, terms_, targets_.at(b, node.t, node.u), b, node.n, node.u,
                                softmax, view_.classes, weights, row);
      else
        node_gradient(batch_, terms_, b, node.n, node.u, softmax, view_.classes, weights.transducer,
                      row);
    }
  }

  void add_parameter_gradients(Work& work) {
    const int64_t rows = work.nodes.size();
    if (view_.pairs != nullptr)
      add_weight_gradient_of_pairs(work);
    else
      add_weight_gradient(work);
    loss_kernels().add_rows(work.gradient.row(0), rows, work.gradient.stride(), view_.classes,
                            work.sums.bias.data_ptr<float>());
  }

  void add_weight_gradient(Work& work) {
    const int64_t rows = work.nodes.size(), columns = to_hidden_.columns();
    float* const weight = work.sums.weight.data_ptr<float>();
    loss_kernels().multiply(view_.classes, columns, rows, work.gradient.row(0), 1,
                            work.gradient.stride(), work.hidden.row(0), work.hidden.stride(),
                            loss_kernels().panel, {weight, weight_stride()}, weight,
                            weight_stride());
  }

  // Pairs of nodes. The tiles of pairs are as long as two rows of the others are wide.
  void add_weight_gradient_of_pairs(Work& work) {
    const int64_t rows = work.nodes.size(), columns = to_hidden_.columns();
    const int64_t lanes = loss_kernels().lanes, classes = round_up(view_.classes, lanes);
    const int64_t gradient_stride = classes + lanes, hidden_stride = columns + lanes;
    view_.pairs->pairs_across_rows(work.gradient.row(0), work.gradient.stride(), rows, classes,
                                   work.pairs.row(0), gradient_stride);
    view_.pairs->pairs_across_rows(work.hidden.row(0), work.hidden.stride(), rows, columns,
                                   work.other_pairs.row(0), hidden_stride);
    float* const weight = work.sums.weight.data_ptr<float>();
    view_.pairs->multiply(view_.classes, columns, (rows + 1) / 2, work.pairs.row(0), 1,
                          gradient_stride, work.other_pairs.row(0), hidden_stride,
                          loss_kernels().panel, {weight, weight_stride()}, weight, weight_stride());
  }

  void add_input_gradients(Work& work) {
    const int64_t rows = work.nodes.size(), D = view_.hidden;
    to_hidden_.multiply(rows, work.gradient, work.pairs, {}, work.hidden_gradient.row(0),
                        work.hidden_gradient.stride());
    float* const encoder = encoder_.data_ptr<float>() + work.utterance * batch_.max_frames() * D;
    float* const predictor = predictor_.data_ptr<float>() + work.segment * batch_.max_states() * D;
    for_each_run(work.nodes, [&](int64_t r, int64_t count) {
      loss_kernels().add_tanh_gradients(
          work.hidden.row(r), work.hidden_gradient.row(r), work.hidden.stride(), count, D,
          encoder + work.nodes[r].t * D, predictor + work.nodes[r].u * D, D);
    });
  }

  const LatticeBatch& batch_;
  JoinerView view_;
  NodeTerms terms_;
  KeptNodes kept_;
  const TargetNodes& targets_;
  at::Tensor weights_, divergence_weights_;  // by utterance
  std::vector<Segment> segments_;
  PackedMatrix to_hidden_;
  std::optional<PackedMatrix> to_logits_;
  at::Tensor encoder_, predictor_;  // gradients; the predictor's by segment
};

}  // namespace

JoinerSolution solve_from_joiner_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                     bool flows, const JoinerSettings& settings,
                                     const TargetNodes& targets) {
  const JoinerView view(batch, joiner, settings.bf16);
  const PackedMatrix to_logits(joiner.weight.t(), view.pairs);
  const KeptNodes kept(view, flows ? settings.workspace_bytes : 0);
  NodeTerms terms = NodeTerms::make(batch, static_cast<bool>(targets));
  const std::vector<Segment> segments = divide(batch);
  for_each_in_parallel(segments.size(), [&](int64_t i) {
    solve_segment(view, to_logits, segments[i], kept, terms);
  });
  at::Tensor divergences;
  if (targets) divergences = node_divergences(batch, terms, targets);
  at::Tensor losses = solve_lattices(batch, terms, flows);
  return {{losses, divergences, terms.storage()}, kept.storage()};
}

JoinerTensors joiner_gradients_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                   const JoinerSolution& solution, const LossWeights& weights,
                                   const JoinerSettings& settings, const TargetNodes& targets) {
  return BackwardPass(batch, joiner, solution, weights, settings, targets).run();
}

}  // namespace scion
