// Logits are made tile by tile (some hundred nodes at a time), and three numbers are kept per node.
// The backward half makes the tiles again, or reads those that fit in the workspace.
#include "scion/loss/cpu/joiner.h"

#include "scion/core/parallel.h"
#include "scion/loss/cpu/kept_nodes.h"
#include "scion/loss/cpu/solve.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/lattice/frame_ranges.h"
#include "scion/loss/lattice/negligible_flow.h"

namespace scion {
namespace {

constexpr int64_t kPartialBytes = int64_t{64} << 20;  // partial sums of the weight's gradient

// ---- the forward half ---------------------------------------------------------------------------

/// Calls write(t, u, count, r) for each run of neighbouring states among the `rows` nodes of
/// utterance b from n on; r is the run's first row.
template <class Write>
void for_each_frame(const LatticeBatch& batch, int64_t b, int64_t n, int64_t rows,
                    const Write& write) {
  const int64_t width = batch.width_of(b);
  int64_t t = n / width, i = n % width;
  for (int64_t r = 0; r < rows; ++t, i = 0) {
    const int64_t count = std::min(width - i, rows - r);
    write(t, batch.first_of(b, t) + i, count, r);
    r += count;
  }
}

/// Softmax and terms of `rows` nodes from n on, from their logits.
void make_softmax(const JoinerView& joiner, int64_t b, int64_t n, int64_t rows, const float* logits,
                  int64_t stride, const SoftmaxRows& softmax, NodeTerms& terms) {
  std::vector<int64_t> labels(rows);
  for_each_frame(joiner.batch, b, n, rows, [&](int64_t, int64_t u, int64_t count, int64_t r) {
    for (int64_t i = 0; i < count; ++i) labels[r + i] = next_label(joiner.batch, b, u + i);
  });
  float* const sums = terms.log_sum(b) + n;
  softmax.fill(
      logits, stride, rows, joiner.batch.blank(), [&](int64_t r) { return labels[r]; }, sums);
  terms.set_arcs(joiner.batch, b, n, rows, logits, stride, sums);
}

void solve_range(const JoinerView& joiner, const PackedMatrix& to_logits, const FrameRange& range,
                 const KeptNodes& kept, NodeTerms& terms) {
  const int64_t b = range.utterance, width = joiner.batch.width_of(b);
  const int64_t last = range.end * width;
  const bool in_pairs = joiner.pairs != nullptr, in_place = kept.holds(b) && !in_pairs;
  const Tile hidden(in_pairs ? 0 : joiner.tile_rows, joiner.hidden_stride);
  const Tile own(in_place ? 0 : joiner.tile_rows, joiner.outputs_stride);
  const HalfTile own_softmax(in_pairs && !kept.holds(b) ? joiner.tile_rows : 0,
                             SoftmaxRows::stride_of(joiner.classes));
  const PairTile pairs = joiner.pair_tile();
  for (int64_t n = range.begin * width; n < last; n += joiner.tile_rows) {
    const int64_t rows = std::min(joiner.tile_rows, last - n);
    for_each_frame(joiner.batch, b, n, rows, [&](int64_t t, int64_t u, int64_t count, int64_t r) {
      if (in_pairs)
        joiner.hidden_pairs(b, t, u, count, pairs.row(r), pairs.stride());
      else
        joiner.hidden_rows(b, t, u, count, hidden.row(r));
    });
    float* const logits = in_place ? kept.logits(b, n) : own.row(0);
    const int64_t stride = in_place ? kept.stride() : own.stride();
    if (in_pairs) {
      to_logits.multiply(rows, pairs.row(0), pairs.stride(), joiner.from_bias(), logits, stride);
      make_softmax(
          joiner, b, n, rows, logits, stride,
          kept.holds(b) ? kept.softmax(b, n) : SoftmaxRows(own_softmax.row(0), joiner.classes),
          terms);
    } else {
      to_logits.multiply(rows, hidden, pairs, joiner.from_bias(), logits, stride);
      terms.set(joiner.batch, b, n, rows, logits, stride, joiner.classes);
    }
    terms.set_durations(b, n, rows, logits + joiner.classes, stride);
    if (terms.has_rest()) terms.set_rest(joiner.batch, b, n, rows, logits, stride, joiner.classes);
  }
}

// ---- the backward half --------------------------------------------------------------------------

/// Sums over one run of ranges.
struct Partial {
  at::Tensor weight;  // (V, D padded), not initialised until `some`
  at::Tensor bias;    // (V)
  bool some = false;
};

class BackwardPass {
 public:
  BackwardPass(const LatticeBatch& batch, const JoinerInputs& joiner, const at::Tensor& terms,
               const at::Tensor& kept, const LossWeights& weights, const JoinerSettings& settings,
               const TargetNodes& targets)
      : batch_(batch),
        view_(batch, joiner, settings.bf16),
        terms_(terms, batch.durations()),
        kept_(view_, settings.workspace_bytes, kept),
        targets_(targets),
        weights_(weights.transducer.to(at::kFloat).contiguous()),
        divergence_weights_(targets ? weights.divergence.to(at::kFloat).contiguous()
                                    : at::zeros_like(weights_)),
        weight_(weights_.const_data_ptr<float>()),
        divergence_weight_(divergence_weights_.const_data_ptr<float>()),
        ranges_(divide(batch)),
        to_hidden_(joiner.weight, view_.pairs),
        encoder_(at::zeros_like(joiner.encoder)),
        predictor_(
            at::zeros({batch.size(), ranges_per_utterance(batch), batch.max_states(), view_.hidden},
                      at::kFloat)) {
    if (!kept_.holds_all()) to_logits_.emplace(joiner.weight.t(), view_.pairs);
  }

  JoinerInputs run() {
    const auto ranges = static_cast<int64_t>(ranges_.size());
    // The number of partial sums depends on shapes only, so that the result is the same for any
    // number of threads.
    const int64_t bytes = 4 * view_.outputs * weight_stride();
    const int64_t count =
        std::clamp<int64_t>(kPartialBytes / bytes, 1, std::clamp<int64_t>(ranges, 1, 16));
    std::vector<Partial> partials(count);
    for_each_in_parallel(count, [&](int64_t i) {
      partials[i] = sum_ranges(i * ranges / count, (i + 1) * ranges / count);
    });
    at::Tensor weight = partials[0].weight.narrow(1, 0, view_.hidden);
    for (int64_t i = 1; i < count; ++i) {
      weight += partials[i].weight.narrow(1, 0, view_.hidden);
      partials[0].bias += partials[i].bias;
    }
    return {encoder_, predictor_.sum(1), weight, partials[0].bias};
  }

 private:
  struct Node {
    int64_t n, t, u;
  };
  /// Nodes with a gradient, gathered by one thread until a tile is full.
  struct Work {
    int64_t range = 0, utterance = 0;
    std::vector<Node> nodes;
    int64_t rows() const { return static_cast<int64_t>(nodes.size()); }
    Tile hidden, hidden_gradient;
    Tile logits;  // of nodes that are not kept; in float their gradient overwrites them
    HalfTile half_gradient;
    HalfTile softmax;  // of nodes that are not kept
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

  /// One vector more than the columns, as in the tiles.
  int64_t weight_stride() const { return to_hidden_.columns() + loss_kernels().lanes; }

  Partial sum_ranges(int64_t begin, int64_t end) {
    const bool in_pairs = view_.pairs != nullptr, all_kept = kept_.holds_all();
    const int64_t rows = view_.tile_rows;
    Work work{.nodes = {},
              .hidden = view_.hidden_tile(),
              .hidden_gradient = view_.hidden_tile(),
              .logits = Tile(in_pairs && all_kept ? 0 : rows, view_.outputs_stride),
              .half_gradient = HalfTile(in_pairs ? rows : 0, SoftmaxRows::stride_of(view_.outputs)),
              .softmax =
                  HalfTile(in_pairs && !all_kept ? rows : 0, SoftmaxRows::stride_of(view_.classes)),
              .pairs = view_.pair_tile(),
              .other_pairs = PairTile(in_pairs ? rows : 0, view_.hidden_stride / 2),
              .sums = {at::empty({view_.outputs, weight_stride()}, at::kFloat),
                       at::zeros({view_.outputs}, at::kFloat)}};
    for (int64_t i = begin; i < end; ++i) {
      work.range = i;
      work.utterance = ranges_[i].utterance;
      visit_range(work);
    }
    if (!work.sums.some) work.sums.weight.zero_();
    return work.sums;
  }

  void visit_range(Work& work) {
    const auto [b, begin, end] = ranges_[work.range];
    if (targets_ && is_broken(b)) return;
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

  /// With a teacher, an utterance with broken logits gets no gradient.
  bool is_broken(int64_t b) const {
    const float* const sums = terms_.log_sum(b);
    return !std::all_of(sums, sums + batch_.nodes_of(b), [](float x) { return std::isfinite(x); });
  }

  void finish_tile(Work& work) {
    if (work.nodes.empty()) return;
    make_hidden(work);
    if (view_.pairs != nullptr) {
      make_half_gradient(work);
      add_parameter_gradients_of_pairs(work);
    } else {
      make_gradient(work);
      add_parameter_gradients(work);
    }
    work.sums.some = true;
    add_input_gradients(work);
    work.nodes.clear();
  }

  void make_hidden(Work& work) {
    for_each_run(work.nodes, [&](int64_t r, int64_t count) {
      view_.hidden_rows(work.utterance, work.nodes[r].t, work.nodes[r].u, count,
                        work.hidden.row(r));
    });
  }

  void make_logits(Work& work) {
    to_logits_->multiply(work.rows(), work.hidden, work.pairs, view_.from_bias(),
                         work.logits.row(0), work.logits.stride());
  }

  NodeGradient gradient_of(const Work& work, int64_t r) const {
    const int64_t b = work.utterance;
    const auto [n, t, u] = work.nodes[r];
    if (!targets_) return node_gradient(batch_, terms_, b, n, u, weight_[b]);
    return distilled_node_gradient(batch_, terms_, targets_.at(b, t, u), b, n, u,
                                   {weight_[b], divergence_weight_[b]});
  }

  void make_gradient(Work& work) {
    const int64_t b = work.utterance;
    const bool kept = kept_.holds(b);
    if (!kept) make_logits(work);
    for (int64_t r = 0; r < work.rows(); ++r) {
      const int64_t n = work.nodes[r].n;
      float* const row = work.logits.row(r);
      write_gradient(gradient_of(work, r), kept ? kept_.logits(b, n) : row, terms_.log_sum(b)[n],
                     view_.classes, row);
      write_duration_gradient(terms_, b, n, weight_[b], row + view_.classes);
    }
  }

  void make_half_gradient(Work& work) {
    const int64_t b = work.utterance;
    const bool kept = kept_.holds(b);
    const SoftmaxRows own(work.softmax.row(0), view_.classes);
    if (!kept) {
      make_logits(work);
      const auto label = [&](int64_t r) { return next_label(batch_, b, work.nodes[r].u); };
      std::vector<float> log_sums(work.rows());
      own.fill(work.logits.row(0), work.logits.stride(), work.rows(), batch_.blank(), label,
               log_sums.data());
    }
    for (int64_t r = 0; r < work.rows(); ++r) {
      const SoftmaxRows softmax = kept ? kept_.softmax(b, work.nodes[r].n) : own.from(r);
      softmax.write_gradient(gradient_of(work, r), work.half_gradient.row(r));
      if (terms_.durations() > 0) write_half_durations(work, r);
    }
  }

  /// After the row's token classes, with zeros up to a multiple of 32.
  void write_half_durations(Work& work, int64_t r) const {
    uint16_t* const row = work.half_gradient.row(r);
    const int64_t b = work.utterance, n = work.nodes[r].n;
    for (int64_t i = 0; i < terms_.durations(); ++i)
      row[view_.classes + i] = c10::BFloat16(weight_[b] * terms_.duration(b, i)[n]).x;
    std::fill(row + view_.outputs, row + round_up(view_.outputs, 32), uint16_t{0});
  }

  /// The start of the next product that is added to the weight's gradient.
  MatrixStart from_sums(const Work& work) const {
    if (!work.sums.some) return {};
    return {work.sums.weight.const_data_ptr<float>(), weight_stride()};
  }

  void add_parameter_gradients(Work& work) {
    loss_kernels().multiply(view_.outputs, to_hidden_.columns(), work.rows(), work.logits.row(0), 1,
                            work.logits.stride(), work.hidden.row(0), work.hidden.stride(),
                            loss_kernels().panel, from_sums(work),
                            work.sums.weight.data_ptr<float>(), weight_stride());
    loss_kernels().add_rows(work.logits.row(0), work.rows(), work.logits.stride(), view_.outputs,
                            work.sums.bias.data_ptr<float>());
  }

  // Pairs of nodes. A row of a pair tile is as long as two rows of the other tiles.
  void add_parameter_gradients_of_pairs(Work& work) {
    const int64_t rows = work.rows(), pairs = (rows + 1) / 2, columns = to_hidden_.columns();
    const int64_t lanes = loss_kernels().lanes, outputs = round_up(view_.outputs, lanes);
    const int64_t gradient_stride = outputs + lanes, hidden_stride = columns + lanes;
    view_.pairs->pairs_of_halves(work.half_gradient.row(0), work.half_gradient.stride(), rows,
                                 outputs, work.pairs.row(0), gradient_stride);
    view_.pairs->pairs_across_rows(work.hidden.row(0), work.hidden.stride(), rows, columns,
                                   work.other_pairs.row(0), hidden_stride);
    view_.pairs->multiply(view_.outputs, columns, pairs, work.pairs.row(0), 1, gradient_stride,
                          work.other_pairs.row(0), hidden_stride, loss_kernels().panel,
                          from_sums(work), work.sums.weight.data_ptr<float>(), weight_stride());
    view_.pairs->add_pairs(work.pairs.row(0), pairs, gradient_stride, view_.outputs,
                           work.sums.bias.data_ptr<float>());
  }

  void make_hidden_gradient(Work& work) {
    float* const out = work.hidden_gradient.row(0);
    const int64_t stride = work.hidden_gradient.stride();
    if (view_.pairs == nullptr) {
      to_hidden_.multiply(work.rows(), work.logits, work.pairs, {}, out, stride);
      return;
    }
    // A row of halves is one of pairs.
    to_hidden_.multiply(work.rows(), reinterpret_cast<const uint32_t*>(work.half_gradient.row(0)),
                        work.half_gradient.stride() / 2, {}, out, stride);
  }

  void add_input_gradients(Work& work) {
    const int64_t D = view_.hidden;
    make_hidden_gradient(work);
    float* const encoder = encoder_.data_ptr<float>() + work.utterance * batch_.max_frames() * D;
    float* const predictor = predictor_.data_ptr<float>() + work.range * batch_.max_states() * D;
    for_each_run(work.nodes, [&](int64_t r, int64_t count) {
      const auto add = view_.activation == JoinerActivation::relu
                           ? add_relu_gradients
                           : loss_kernels().add_tanh_gradients;
      add(work.hidden.row(r), work.hidden_gradient.row(r), work.hidden.stride(), count, D,
          encoder + work.nodes[r].t * D, predictor + work.nodes[r].u * D, D);
    });
  }

  const LatticeBatch& batch_;
  JoinerView view_;
  NodeTerms terms_;
  KeptNodes kept_;
  const TargetNodes& targets_;
  at::Tensor weights_, divergence_weights_;  // by utterance
  const float *weight_, *divergence_weight_;
  std::vector<FrameRange> ranges_;
  PackedMatrix to_hidden_;
  std::optional<PackedMatrix> to_logits_;
  at::Tensor encoder_, predictor_;  // gradients; the predictor's per range
};

}  // namespace

JoinerSolution solve_from_joiner_cpu(const LatticeBatch& batch, const JoinerInputs& joiner,
                                     bool flows, const JoinerSettings& settings,
                                     const TargetNodes& targets) {
  const JoinerView view(batch, joiner, settings.bf16);
  const PackedMatrix to_logits(joiner.weight.t(), view.pairs);
  const KeptNodes kept(view, flows ? settings.workspace_bytes : 0);
  NodeTerms terms = NodeTerms::make(batch, static_cast<bool>(targets));
  const std::vector<FrameRange> ranges = divide(batch);
  for_each_in_parallel(ranges.size(),
                       [&](int64_t i) { solve_range(view, to_logits, ranges[i], kept, terms); });
  at::Tensor divergences;
  if (targets) divergences = node_divergences(batch, terms, targets);
  at::Tensor losses = solve_lattices(batch, terms, flows);
  return {losses, divergences, terms.storage(), kept.storage()};
}

JoinerInputs joiner_gradients_cpu(const LatticeBatch& batch, const JoinerInputs& joiner,
                                  const at::Tensor& terms, const at::Tensor& kept,
                                  const LossWeights& weights, const JoinerSettings& settings,
                                  const TargetNodes& targets) {
  return BackwardPass(batch, joiner, terms, kept, weights, settings, targets).run();
}

SolvedLattices solve_lattices_of(const JoinerInputs& joiner, const LatticeLabels& labels,
                                 const TransducerLossOptions& options, bool flows,
                                 const TdtOptions& tdt) {
  const at::NoGradGuard no_grad;
  const auto on_cpu = [](const at::Tensor& tensor) {
    return tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  };
  LatticeRules rules = rules_of(options, tdt);
  rules.fast_emit = 0;
  LatticeBatch batch = check_joiner_batch(joiner, labels, rules);
  const JoinerInputs own{on_cpu(joiner.encoder), on_cpu(joiner.predictor), on_cpu(joiner.weight),
                         on_cpu(joiner.bias), joiner.activation};
  const JoinerSolution solution = solve_from_joiner_cpu(batch, own, flows, {.bf16 = options.bf16});
  const int64_t durations = batch.durations();
  return {std::move(batch), NodeTerms(solution.terms, durations)};
}

}  // namespace scion
