// The joiner and the loss in one: logits are made tile by tile (some hundred nodes at a time), and
// of each node only three numbers are kept. The backward half makes the tiles once more, or reads
// them where all of them together were small enough to keep.
#include "scion/transducer/loss_cpu.h"
#include "scion/transducer/loss_kernels.h"

namespace scion {
namespace {

constexpr int64_t kKeptBytes = int64_t{64} << 20;    // logits kept for the backward half, at most
constexpr int64_t kTileBytes = int64_t{512} << 10;   // one thread's tile: half of a usual L2 cache
constexpr int64_t kPartialBytes = int64_t{64} << 20;  // partial sums of the weight's gradient

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// A matrix (rows, columns) as the right-hand factor of `multiply`: panels of columns, padded
/// with zeros.
class PackedMatrix {
 public:
  explicit PackedMatrix(const at::Tensor& matrix)
      : rows_(matrix.size(0)),
        columns_(round_up(matrix.size(1), loss_kernels().lanes)),
        panel_(loss_kernels().panel) {
    const int64_t panels = (columns_ + panel_ - 1) / panel_;
    values_ = at::zeros({rows_, panels * panel_}, at::kFloat);
    values_.narrow(1, 0, matrix.size(1)).copy_(matrix);
    values_ = values_.view({rows_, panels, panel_}).transpose(0, 1).contiguous();
  }
  int64_t columns() const { return columns_; }  ///< padded to whole vectors

  /// c = start + a · this, for `m` rows
  void multiply(int64_t m, const float* a, int64_t a_row, MatrixStart start, float* c,
                int64_t c_row) const {
    loss_kernels().multiply(m, columns_, rows_, a, a_row, 1, values_.const_data_ptr<float>(),
                            panel_, rows_ * panel_, start, c, c_row);
  }

 private:
  int64_t rows_, columns_, panel_;
  at::Tensor values_;
};

/// Sizes and strides of one thread's tile of nodes.
struct TileShape {
  int64_t hidden, classes;                // D, V
  int64_t hidden_stride, classes_stride;  // one more vector keeps rows off the same cache sets
  int64_t rows;

  TileShape(const JoinerTensors& joiner) {
    const int64_t lanes = loss_kernels().lanes;
    classes = joiner.weight.size(0);
    hidden = joiner.weight.size(1);
    hidden_stride = round_up(hidden, lanes) + lanes;
    classes_stride = round_up(classes, lanes) + lanes;
    const int64_t row_bytes = 4 * (2 * hidden_stride + classes_stride);
    rows = std::clamp<int64_t>(kTileBytes / row_bytes, 24, 480) / 24 * 24;  // whole blocks
  }
};

at::Tensor tile(int64_t rows, int64_t stride) { return at::zeros({rows, stride}, at::kFloat); }

/// Where each utterance's nodes begin in the kept logits; the last entry is their number.
std::vector<int64_t> node_offsets(const LatticeBatch& batch) {
  std::vector<int64_t> offsets(batch.size() + 1, 0);
  for (int64_t b = 0; b < batch.size(); ++b) offsets[b + 1] = offsets[b] + batch.nodes_of(b);
  return offsets;
}

/// hidden[r] = tanh(encoder(t) + predictor(u)) of one node
void hidden_row(const LatticeBatch& batch, const JoinerTensors& joiner, int64_t b, int64_t n,
                float* out) {
  const int64_t D = joiner.weight.size(1), states = batch.states_of(b);
  const int64_t t = n / states, u = n % states;
  loss_kernels().tanh_of_sum(
      joiner.encoder.const_data_ptr<float>() + (b * batch.max_frames + t) * D,
      joiner.predictor.const_data_ptr<float>() + (b * batch.max_states + u) * D, D, out);
}

/// Gradient sums of one run of segments.
struct Partial {
  at::Tensor weight;  // (V, D padded)
  at::Tensor bias;    // (V)
};

class BackwardPass {
 public:
  BackwardPass(const LatticeBatch& batch, const JoinerTensors& joiner, const at::Tensor& terms,
               const at::Tensor& kept_logits, const at::Tensor& weights)
      : batch_(batch),
        joiner_(joiner),
        terms_(terms),
        kept_(kept_logits),
        weights_(weights.to(at::kFloat).contiguous()),
        shape_(joiner),
        segments_(divide(batch)),
        offsets_(node_offsets(batch)),
        to_hidden_(joiner.weight),
        bias_(at::zeros({shape_.classes_stride}, at::kFloat)) {
    if (!kept_.defined()) to_logits_.emplace(joiner.weight.t());
    bias_.narrow(0, 0, shape_.classes).copy_(joiner.bias);
    encoder_ = at::zeros_like(joiner.encoder);
    const int64_t pieces = segments_per_utterance(batch);
    predictor_ = at::zeros({batch.size(), pieces, batch.max_states, shape_.hidden}, at::kFloat);
  }

  JoinerTensors run() {
    const int64_t bytes = 4 * shape_.classes * shape_.hidden_stride;
    const auto segments = static_cast<int64_t>(segments_.size());
    // Their number depends on shapes only: the sums are the same for any number of threads.
    const int64_t count = std::clamp<int64_t>(kPartialBytes / bytes, 1, std::min<int64_t>(16, segments));
    std::vector<Partial> partials(count);
    for_each_in_parallel(count, [&](int64_t i) {
      partials[i] = sum_segments(i * segments / count, (i + 1) * segments / count);
    });
    for (int64_t i = 1; i < count; ++i) {
      partials[0].weight += partials[i].weight;
      partials[0].bias += partials[i].bias;
    }
    return {encoder_, predictor_.sum(1),
            partials[0].weight.narrow(1, 0, shape_.hidden).contiguous(), partials[0].bias};
  }

 private:
  /// One thread's tile: nodes with gradient, gathered.
  struct Tile {
    at::Tensor hidden, hidden_gradient, gradient;
    std::vector<int64_t> nodes;
  };

  Partial sum_segments(int64_t begin, int64_t end) {
    Partial sums{tile(shape_.classes, to_hidden_.columns()), at::zeros({shape_.classes}, at::kFloat)};
    Tile work{tile(shape_.rows, shape_.hidden_stride), tile(shape_.rows, shape_.hidden_stride),
              tile(shape_.rows, shape_.classes_stride), {}};
    for (int64_t i = begin; i < end; ++i) {
      const Segment& segment = segments_[i];
      const int64_t states = batch_.states_of(segment.utterance);
      for (int64_t n = segment.begin * states; n < segment.end * states; ++n) {
        const int64_t b = segment.utterance;
        if (terms_.blank(b)[n] + terms_.label(b)[n] < kNegligibleFlow) continue;
        work.nodes.push_back(n);
        if (static_cast<int64_t>(work.nodes.size()) == shape_.rows) finish_tile(i, work, sums);
      }
      finish_tile(i, work, sums);
    }
    return sums;
  }

  void finish_tile(int64_t segment, Tile& work, Partial& sums) {
    if (work.nodes.empty()) return;
    const int64_t b = segments_[segment].utterance;
    logits_gradient(b, work);
    add_gradients(segment, work, sums);
    work.nodes.clear();
  }

  void logits_gradient(int64_t b, Tile& work) {
    const auto rows = static_cast<int64_t>(work.nodes.size());
    float* const hidden = work.hidden.data_ptr<float>();
    float* const gradient = work.gradient.data_ptr<float>();
    for (int64_t r = 0; r < rows; ++r) {
      hidden_row(batch_, joiner_, b, work.nodes[r], hidden + r * shape_.hidden_stride);
    }
    if (to_logits_) {
      to_logits_->multiply(rows, hidden, shape_.hidden_stride, {bias_.const_data_ptr<float>(), 0},
                           gradient, shape_.classes_stride);
    }
    for (int64_t r = 0; r < rows; ++r) {
      float* const row = gradient + r * shape_.classes_stride;
      const float* logits =
          to_logits_ ? row
                     : kept_.const_data_ptr<float>() +
                           (offsets_[b] + work.nodes[r]) * kept_.size(1);
      node_gradient(batch_, terms_, b, work.nodes[r], logits, shape_.classes,
                    weights_.const_data_ptr<float>()[b], row);
    }
  }

  void add_gradients(int64_t segment, Tile& work, Partial& sums) {
    const auto rows = static_cast<int64_t>(work.nodes.size());
    const float* const hidden = work.hidden.const_data_ptr<float>();
    const float* const gradient = work.gradient.const_data_ptr<float>();
    float* const hidden_gradient = work.hidden_gradient.data_ptr<float>();
    to_hidden_.multiply(rows, gradient, shape_.classes_stride, {}, hidden_gradient,
                        shape_.hidden_stride);
    const LossKernels& kernels = loss_kernels();
    float* const weight = sums.weight.data_ptr<float>();
    const int64_t columns = to_hidden_.columns();
    kernels.multiply(shape_.classes, columns, rows, gradient, 1, shape_.classes_stride, hidden,
                     shape_.hidden_stride, kernels.panel, {weight, columns}, weight, columns);
    kernels.add_rows(gradient, rows, shape_.classes_stride, shape_.classes,
                     sums.bias.data_ptr<float>());

    const int64_t D = shape_.hidden, b = segments_[segment].utterance;
    float* const encoder = encoder_.data_ptr<float>() + b * batch_.max_frames * D;
    float* const predictor = predictor_.data_ptr<float>() + segment * batch_.max_states * D;
    const int64_t states = batch_.states_of(b);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t t = work.nodes[r] / states, u = work.nodes[r] % states;
      kernels.add_tanh_gradient(hidden + r * shape_.hidden_stride,
                                hidden_gradient + r * shape_.hidden_stride, D, encoder + t * D,
                                predictor + u * D);
    }
  }

  const LatticeBatch& batch_;
  const JoinerTensors& joiner_;
  NodeTerms terms_;
  at::Tensor kept_, weights_;
  TileShape shape_;
  std::vector<Segment> segments_;
  std::vector<int64_t> offsets_;
  PackedMatrix to_hidden_;
  std::optional<PackedMatrix> to_logits_;
  at::Tensor bias_;
  at::Tensor encoder_, predictor_;  // gradients; the predictor's by segment
};

}  // namespace

JoinerSolution solve_from_joiner_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                     bool flows) {
  const TileShape shape(joiner);
  const PackedMatrix to_logits(joiner.weight.t());
  at::Tensor bias = at::zeros({shape.classes_stride}, at::kFloat);
  bias.narrow(0, 0, shape.classes).copy_(joiner.bias);
  const std::vector<int64_t> offsets = node_offsets(batch);
  at::Tensor kept;
  const int64_t kept_stride = to_logits.columns();
  if (flows && offsets.back() * kept_stride * 4 <= kKeptBytes) {
    kept = at::empty({offsets.back(), kept_stride}, at::kFloat);
  }

  NodeTerms terms = NodeTerms::make(batch);
  const std::vector<Segment> segments = divide(batch);
  for_each_in_parallel(segments.size(), [&](int64_t i) {
    const auto [b, begin, end] = segments[i];
    const at::Tensor hidden_tile = tile(shape.rows, shape.hidden_stride);
    const at::Tensor logits_tile =
        kept.defined() ? at::Tensor() : tile(shape.rows, shape.classes_stride);
    float* const hidden = hidden_tile.data_ptr<float>();
    const int64_t last = end * batch.states_of(b);
    for (int64_t n = begin * batch.states_of(b); n < last; n += shape.rows) {
      const int64_t rows = std::min(shape.rows, last - n);
      for (int64_t r = 0; r < rows; ++r) {
        hidden_row(batch, joiner, b, n + r, hidden + r * shape.hidden_stride);
      }
      float* const logits = kept.defined()
                                ? kept.data_ptr<float>() + (offsets[b] + n) * kept_stride
                                : logits_tile.data_ptr<float>();
      const int64_t stride = kept.defined() ? kept_stride : shape.classes_stride;
      to_logits.multiply(rows, hidden, shape.hidden_stride, {bias.const_data_ptr<float>(), 0},
                         logits, stride);
      terms.set(batch, b, n, rows, logits, stride, shape.classes);
    }
  });
  at::Tensor losses = solve_lattices(batch, terms, flows);
  return {{losses, terms.storage()}, kept};
}

JoinerTensors joiner_gradients_cpu(const LatticeBatch& batch, const JoinerTensors& joiner,
                                   const at::Tensor& terms, const at::Tensor& kept_logits,
                                   const at::Tensor& weights) {
  return BackwardPass(batch, joiner, terms, kept_logits, weights).run();
}

}  // namespace scion
