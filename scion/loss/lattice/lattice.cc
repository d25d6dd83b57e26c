#include "scion/loss/lattice/lattice.h"

#include <atomic>

#include "scion/core/error.h"
#include "scion/core/threads.h"
#include "scion/loss/cpu/kernels.h"
#include "scion/loss/lattice/arc_lattice.h"

namespace scion {

namespace {
const LossKernels& fastest_kernels() {
#if defined(__x86_64__)
  if (processor().avx512) return avx512_loss_kernels();
  if (processor().avx2) return avx2_loss_kernels();
#endif
  return portable_loss_kernels();
}

// At least this many pieces of work, so that a few long utterances keep all threads busy.
constexpr int64_t kSegments = 16;

at::Tensor whole_numbers(const at::Tensor& tensor, const char* name, int64_t dimensions,
                         int64_t size) {
  if (tensor.dim() != dimensions || tensor.size(0) != size) {
    throw UserError(
        fmt::format("{} have shape {} for {} utterances", name, shape_text(tensor), size),
        dimensions == 1 ? "give one length an utterance" : "give (B, U) tokens");
  }
  if (!at::isIntegralType(tensor.scalar_type(), false)) {
    throw UserError(fmt::format("{} are of type {}", name, at::toString(tensor.scalar_type())),
                    "give int64");
  }
  return tensor.to(at::kCPU, at::kLong).contiguous();
}

void check_length(const char* name, int64_t b, int64_t length, int64_t least, int64_t most) {
  if (length >= least && length <= most) return;
  throw UserError(fmt::format("the {} of utterance {} is {}", name, b, length),
                  fmt::format("it must be in {} … {}", least, most));
}

void check_labels(const LatticeBatch& batch, int64_t b, int64_t classes) {
  for (int64_t u = 0; u + 1 < batch.states_of(b); ++u) {
    const int64_t label = batch.labels_of(b)[u];
    if (label < 0 || label >= classes) {
      throw UserError(fmt::format("label {} of utterance {} is {}", u, b, label),
                      fmt::format("labels must be in 0 … {}", classes - 1));
    }
    if (label == batch.blank()) {
      throw UserError(fmt::format("label {} of utterance {} is the blank, {}", u, b, label),
                      "blank is no label: check the tokenizer");
    }
  }
}

}  // namespace

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("({})", fmt::join(tensor.sizes().vec(), ", "));
}

void check_float_type(const at::Tensor& tensor, const char* name) {
  const at::ScalarType type = tensor.scalar_type();
  if (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf) return;
  throw UserError(fmt::format("{} are of type {}", name, at::toString(type)),
                  "give float32, bfloat16 or float16");
}

void check_joiner_shapes(const at::Tensor& encoder, const at::Tensor& predictor,
                         const at::Tensor& weight, const at::Tensor& bias,
                         const at::Tensor& tokens) {
  check_float_type(encoder, "encoder outputs");
  check_float_type(predictor, "predictor outputs");
  check_float_type(weight, "joiner weights");
  check_float_type(bias, "joiner biases");
  const bool right = encoder.dim() == 3 && predictor.dim() == 3 && weight.dim() == 2 &&
                     bias.dim() == 1 && tokens.dim() == 2 && predictor.size(0) == encoder.size(0) &&
                     predictor.size(1) == tokens.size(1) + 1 &&
                     predictor.size(2) == encoder.size(2) && weight.size(1) == encoder.size(2) &&
                     bias.size(0) == weight.size(0);
  if (!right) {
    throw UserError(fmt::format("encoder {}, predictor {}, weight {}, bias {} and tokens {} do "
                                "not fit together",
                                shape_text(encoder), shape_text(predictor), shape_text(weight),
                                shape_text(bias), shape_text(tokens)),
                    "give (B, T, D), (B, U+1, D), (V, D), (V) and (B, U)");
  }
}

const LossKernels& loss_kernels() {
  static const LossKernels& kernels = fastest_kernels();
  return kernels;
}

const PairKernels* pair_kernels() {
#if defined(__x86_64__)
  if (processor().avx512_bf16) return &avx512bf16_pair_kernels();
#endif
  return nullptr;
}

bool wants_gradient(std::initializer_list<at::Tensor> tensors) {
  return at::GradMode::is_enabled() &&
         std::any_of(tensors.begin(), tensors.end(),
                     [](const at::Tensor& tensor) { return tensor.requires_grad(); });
}

LatticeBatch::LatticeBatch(at::Tensor tokens, at::Tensor frames, at::Tensor states,
                           int64_t max_frames, const LatticeRules& rules)
    : tokens_(std::move(tokens)),
      frames_(std::move(frames)),
      states_(std::move(states)),
      size_(frames_.size(0)),
      max_frames_(max_frames),
      max_states_(tokens_.size(1) + 1),
      rules_(rules),
      tokens_data_(tokens_.const_data_ptr<int64_t>()),
      frames_data_(frames_.const_data_ptr<int64_t>()),
      states_data_(states_.const_data_ptr<int64_t>()) {}

LatticeBatch LatticeBatch::band(at::Tensor first, int64_t width) const {
  LatticeBatch batch = *this;
  batch.first_ = std::move(first);
  batch.first_data_ = batch.first_.const_data_ptr<int64_t>();
  batch.band_width_ = width;
  return batch;
}

LatticeBatch check_lattice_batch(int64_t size, int64_t max_frames, int64_t classes,
                                 const at::Tensor& tokens, const at::Tensor& frame_lengths,
                                 const at::Tensor& token_lengths, const LatticeRules& rules) {
  const LatticeBatch batch(whole_numbers(tokens, "tokens", 2, size),
                           whole_numbers(frame_lengths, "frame lengths", 1, size),
                           whole_numbers(token_lengths, "token lengths", 1, size) + 1, max_frames,
                           rules);
  if (rules.blank < 0 || rules.blank >= classes) {
    throw UserError(fmt::format("the blank is {} of {} classes", rules.blank, classes),
                    fmt::format("it must be in 0 … {}", classes - 1));
  }
  if (!std::isfinite(rules.fast_emit) || !std::isfinite(rules.delay_penalty)) {
    throw UserError(fmt::format("FastEmit {} and delay penalty {} must be finite", rules.fast_emit,
                                rules.delay_penalty),
                    "0 turns either off");
  }
  for (int64_t b = 0; b < size; ++b) {
    check_length("frame length", b, batch.frames_of(b), 0, max_frames);
    check_length("token length", b, batch.states_of(b) - 1, 0, batch.max_states() - 1);
    check_labels(batch, b, classes);
  }
  return batch;
}

int64_t segments_per_utterance(const LatticeBatch& batch) {
  if (batch.size() == 0) return 1;
  return (kSegments + batch.size() - 1) / batch.size();
}

std::vector<FrameRange> divide(const LatticeBatch& batch) {
  const int64_t pieces = segments_per_utterance(batch);
  std::vector<FrameRange> segments;
  segments.reserve(batch.size() * pieces);
  for (int64_t b = 0; b < batch.size(); ++b) {
    const int64_t frames = batch.frames_of(b);
    for (int64_t i = 0; i < pieces; ++i) {
      segments.push_back({b, i * frames / pieces, (i + 1) * frames / pieces});
    }
  }
  return segments;
}

void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f) {
  std::atomic<int64_t> next = 0;
  // One long-lived task a thread that takes whatever is next: utterances differ in length.
  at::parallel_for(0, std::min<int64_t>(count, at::get_num_threads()), 1,
                   [&](int64_t begin, int64_t) {
                     (void)begin;
                     for (int64_t i = next++; i < count; i = next++) f(i);
                   });
}

NodeTerms::NodeTerms(at::Tensor storage)
    : storage_(std::move(storage)),
      data_(storage_.data_ptr<float>()),
      size_(storage_.size(1)),
      stride_(storage_.stride(1)) {}

NodeTerms NodeTerms::make(const LatticeBatch& batch, bool with_rest) {
  return NodeTerms(at::empty(
      {with_rest ? 4 : 3, batch.size(), batch.max_frames(), batch.max_width()}, at::kFloat));
}

float earliness(const LatticeBatch& batch, int64_t b, int64_t t) {
  // Of an utterance's middle frame it is zero.
  return static_cast<float>(batch.rules().delay_penalty) *
         (static_cast<float>(batch.frames_of(b) - 1) / 2 - static_cast<float>(t));
}

void NodeTerms::set(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count,
                    const float* logits, int64_t stride, int64_t classes) {
  float* const sums = log_sum(b) + first;
  loss_kernels().log_sum_exp(logits, count, stride, classes, sums);
  set_arcs(batch, b, first, count, logits, stride, sums);
}

template <class T>
void NodeTerms::set_arcs(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count,
                         const T* rows, int64_t stride, const float* sums) {
  const int64_t states = batch.states_of(b), width = batch.width_of(b), symbol = batch.blank();
  const int64_t* const labels = batch.labels_of(b);
  float* const blanks = blank(b) + first;
  float* const next = label(b) + first;
  int64_t t = first / width, i = first % width;
  for (int64_t r = 0; r < count; ++t, i = 0) {
    const float early = earliness(batch, b, t);
    const int64_t left = batch.first_of(b, t) - r + i;  // of row r the state is left + r
    for (const int64_t end = std::min(count, r + width - i); r < end; ++r, rows += stride) {
      const int64_t u = left + r;
      const float sum = sums != nullptr ? sums[r] : 0;
      blanks[r] = u < states ? static_cast<float>(rows[symbol]) - sum : -INFINITY;
      next[r] = u + 1 < states ? static_cast<float>(rows[labels[u]]) - sum + early : 0;
    }
  }
}
template void NodeTerms::set_arcs(const LatticeBatch&, int64_t, int64_t, int64_t, const float*,
                                  int64_t, const float*);
template void NodeTerms::set_arcs(const LatticeBatch&, int64_t, int64_t, int64_t,
                                  const at::BFloat16*, int64_t, const float*);
template void NodeTerms::set_arcs(const LatticeBatch&, int64_t, int64_t, int64_t, const at::Half*,
                                  int64_t, const float*);

// Summed over the classes themselves: one minus the others' probability has no correct digit
// where the model is sure.
void NodeTerms::set_rest(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count,
                         const float* logits, int64_t stride, int64_t classes) {
  const int64_t states = batch.states_of(b), symbol = batch.blank();
  const int64_t* const labels = batch.labels_of(b);
  for (int64_t r = 0, n = first; r < count; ++r, ++n, logits += stride) {
    const int64_t u = n % states, label = u + 1 < states ? labels[u] : symbol;
    const int64_t low = std::min(symbol, label), high = std::max(symbol, label);
    double sum = 0;
    const auto add = [&](int64_t begin, int64_t end) {
      if (begin >= end) return;
      float part = 0;
      loss_kernels().log_sum_exp(logits + begin, 1, stride, end - begin, &part);
      sum += std::exp(static_cast<double>(part) - log_sum(b)[n]);
    };
    add(0, low);
    add(low + 1, high);
    add(high + 1, classes);
    rest(b)[n] = static_cast<float>(std::log(sum));
  }
}

std::pair<at::Tensor, at::Tensor> NodeTerms::arcs(const LatticeBatch& batch) const {
  const at::Tensor blanks = at::zeros({size_, batch.max_frames(), batch.max_states()}, at::kFloat);
  const at::Tensor labels = at::zeros_like(blanks);
  for (int64_t b = 0; b < size_; ++b) {
    const int64_t frames = batch.frames_of(b), states = batch.states_of(b);
    const auto place = [&](const at::Tensor& tensor) {
      return tensor[b].narrow(0, 0, frames).narrow(1, 0, states);
    };
    place(blanks).copy_(at::from_blob(blank(b), {frames, states}, at::kFloat));
    place(labels).copy_(at::from_blob(label(b), {frames, states}, at::kFloat));
  }
  return {blanks, labels};
}

namespace {

/// One utterance's blank and label terms, or their flows, by rows of `width` nodes a frame.
struct TermRows {
  float *blank, *label;
  int64_t frames, width;

  /// f(a label's place, the place of the blank behind it): in the same frame, one state on.
  template <class F>
  void for_each_label(F f) const {
    for (int64_t t = 0; t < frames; ++t)
      for (int64_t i = 0; i < width; ++i)
        f(label[t * width + i], i + 1 < width ? blank + t * width + i + 1 : nullptr);
  }
  /// The label's arc counts the blank behind it, too; none leads out of a band.
  void constrain() const {
    for_each_label([](float& arc, const float* behind) {
      arc = behind != nullptr ? arc + *behind : -INFINITY;
    });
  }
  /// What flows through the label's arc flows through that blank.
  void share_with_blanks() const {
    for_each_label([](float flow, float* behind) {
      if (behind != nullptr) *behind += flow;
    });
  }
};

/// log P; the terms become flows when they are wanted and it is finite.
double solve_whole_regular(const TermRows& rows, bool flows) {
  const at::Tensor workspace =
      at::empty({lattice_workspace_bytes(rows.frames, rows.width)}, at::kByte);
  return loss_kernels().lattice(rows.blank, rows.label, rows.frames, rows.width,
                                workspace.data_ptr(), flows ? rows.blank : nullptr,
                                flows ? rows.label : nullptr);
}

double solve_any(const LatticeBatch& batch, int64_t b, const TermRows& rows, bool flows) {
  const bool band = batch.first().defined();
  ArcLattice<float> lattice(
      {.frames = rows.frames,
       .labels = batch.states_of(b) - 1,
       .width = rows.width,
       .first = band ? batch.first().const_data_ptr<int64_t>() + b * batch.max_frames() : nullptr,
       .same_frame = batch.rules().topology == Topology::regular},
      {rows.blank, rows.width, rows.width}, {rows.label, rows.width, rows.width});
  const double log_probability = lattice.forward();
  if (flows && std::isfinite(log_probability))
    lattice.flows(log_probability, {rows.blank, rows.width, rows.width},
                  {rows.label, rows.width, rows.width});
  return log_probability;
}

TermRows rows_of(const LatticeBatch& batch, NodeTerms& terms, int64_t b) {
  return {terms.blank(b), terms.label(b), batch.frames_of(b), batch.width_of(b)};
}

/// log P of one utterance, whose terms become flows where these are wanted.
double solve_utterance(const LatticeBatch& batch, int64_t b, const TermRows& rows, bool flows) {
  const bool whole_regular =
      !batch.first().defined() && batch.rules().topology == Topology::regular && rows.frames > 0;
  double log_probability =
      whole_regular ? solve_whole_regular(rows, flows) : solve_any(batch, b, rows, flows);
  if (log_probability == INFINITY) log_probability = NAN;  // an arc is no probability
  if (flows && !std::isfinite(log_probability)) {
    std::fill_n(rows.blank, batch.nodes_of(b), 0.F);
    std::fill_n(rows.label, batch.nodes_of(b), 0.F);
  } else if (flows && batch.rules().fast_emit != 0) {
    const auto scale = static_cast<float>(1 + batch.rules().fast_emit);
    for (int64_t n = 0; n < batch.nodes_of(b); ++n) rows.label[n] *= scale;
  }
  return log_probability;
}

}  // namespace

void constrain_arcs(const LatticeBatch& batch, NodeTerms& terms) {
  if (batch.rules().topology != Topology::constrained) return;
  for_each_in_parallel(batch.size(), [&](int64_t b) { rows_of(batch, terms, b).constrain(); });
}

at::Tensor solve_arcs(const LatticeBatch& batch, NodeTerms& terms, bool flows) {
  at::Tensor losses = at::empty({batch.size()}, at::kFloat);
  float* const loss = losses.data_ptr<float>();
  for_each_in_parallel(batch.size(), [&](int64_t b) {
    loss[b] = static_cast<float>(-solve_utterance(batch, b, rows_of(batch, terms, b), flows));
  });
  return losses;
}

void share_flows(const LatticeBatch& batch, NodeTerms& terms) {
  if (batch.rules().topology != Topology::constrained) return;
  for_each_in_parallel(batch.size(),
                       [&](int64_t b) { rows_of(batch, terms, b).share_with_blanks(); });
}

at::Tensor solve_lattices(const LatticeBatch& batch, NodeTerms& terms, bool flows) {
  constrain_arcs(batch, terms);
  at::Tensor losses = solve_arcs(batch, terms, flows);
  if (flows) share_flows(batch, terms);
  return losses;
}

int64_t next_label(const LatticeBatch& batch, int64_t b, int64_t u) {
  return u + 1 < batch.states_of(b) ? batch.labels_of(b)[u] : NodeGradient::kNoLabel;
}

NodeGradient node_gradient(const LatticeBatch& batch, const NodeTerms& terms, int64_t b, int64_t n,
                           int64_t u, float weight) {
  const float blank = weight * terms.blank(b)[n], label = weight * terms.label(b)[n];
  const float flow = blank + label;
  return {flow, flow, blank, label, batch.blank(), next_label(batch, b, u)};
}

void write_gradient(const NodeGradient& gradient, const float* logits, float log_sum,
                    int64_t classes, float* out) {
  const auto of_arc = [&](int64_t symbol, float asked) {
    return gradient.arcs * std::exp(logits[symbol] - log_sum) - asked;
  };
  const bool has_label = gradient.label_class != NodeGradient::kNoLabel;
  if (gradient.arcs == gradient.others) {
    loss_kernels().scaled_softmax(logits, classes, log_sum, gradient.others, out);
    out[gradient.blank_class] -= gradient.blank;
    if (has_label) out[gradient.label_class] -= gradient.label;
    return;
  }
  const float blank = of_arc(gradient.blank_class, gradient.blank);
  const float label = has_label ? of_arc(gradient.label_class, gradient.label) : 0;
  loss_kernels().scaled_softmax(logits, classes, log_sum, gradient.others, out);
  out[gradient.blank_class] = blank;
  if (has_label) out[gradient.label_class] = label;
}

}  // namespace scion
