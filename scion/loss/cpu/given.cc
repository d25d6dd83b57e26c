#include "scion/loss/cpu/given.h"

#include "scion/core/huge_pages.h"
#include "scion/core/parallel.h"
#include "scion/loss/cpu/node_gradient.h"
#include "scion/loss/cpu/node_terms.h"
#include "scion/loss/cpu/solve.h"
#include "scion/loss/lattice/frame_ranges.h"
#include "scion/loss/lattice/negligible_flow.h"

namespace scion {
namespace {

/// f(T()) for the type T of a tensor's numbers.
template <class F>
void with_numbers_of(const at::Tensor& tensor, const F& f) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return f(float());
    case at::kHalf:
      return f(at::Half());
    default:
      return f(at::BFloat16());
  }
}

/// Rows of logits as floats: in place, or converted into a buffer.
template <class T>
class FloatRows {
 public:
  FloatRows(const at::Tensor& logits, int64_t most_rows)
      : data_(logits.const_data_ptr<T>()), classes_(logits.size(3)) {
    if constexpr (!std::is_same_v<T, float>) buffer_.resize(most_rows * classes_);
  }
  const float* read(int64_t offset, int64_t rows) {
    if constexpr (std::is_same_v<T, float>) {
      return data_ + offset;
    } else {
      std::transform(data_ + offset, data_ + offset + rows * classes_, buffer_.data(),
                     [](T x) { return static_cast<float>(x); });
      return buffer_.data();
    }
  }

 private:
  const T* data_;
  int64_t classes_;
  std::vector<float> buffer_;
};

/// The gradient of one frame's rows of `outputs` numbers, padding included.
template <class T>
void frame_gradient(const LatticeBatch& batch, const NodeTerms& terms, int64_t b, int64_t t,
                    const float* logits, int64_t outputs, float weight, float* row, T* out) {
  const int64_t states = batch.states_of(b), classes = outputs - batch.durations();
  for (int64_t u = 0; u < batch.max_states(); ++u, out += outputs) {
    const int64_t n = t * states + u;
    if (u >= states || terms.blank(b)[n] + terms.label(b)[n] < kNegligibleFlow) {
      std::fill_n(out, outputs, T(0));
      continue;
    }
    float* to = row;
    if constexpr (std::is_same_v<T, float>) to = out;
    write_gradient(node_gradient(batch, terms, b, n, u, weight), logits + u * outputs,
                   terms.log_sum(b)[n], classes, to);
    write_duration_gradient(terms, b, n, weight, to + classes);
    if constexpr (!std::is_same_v<T, float>) {
      for (int64_t k = 0; k < outputs; ++k) out[k] = static_cast<T>(to[k]);
    }
  }
}

template <class T>
void fill_gradient(const LatticeBatch& batch, const at::Tensor& logits, const NodeTerms& terms,
                   const at::Tensor& weights, at::Tensor& gradient) {
  const int64_t pieces = ranges_per_utterance(batch);
  const int64_t classes = logits.size(3), frame = batch.max_states() * classes;
  T* const out = gradient.data_ptr<T>();
  const std::vector<FrameRange> ranges = divide(batch);
  for_each_in_parallel(ranges.size(), [&](int64_t i) {
    const auto [b, begin, end] = ranges[i];
    const float weight = weights.const_data_ptr<float>()[b];
    FloatRows<T> rows(logits, batch.states_of(b));
    std::vector<float> row(classes);
    for (int64_t t = begin; t < end; ++t) {
      const int64_t offset = (b * batch.max_frames() + t) * frame;
      frame_gradient(batch, terms, b, t, rows.read(offset, batch.states_of(b)), classes, weight,
                     row.data(), out + offset);
    }
    if (i % pieces == pieces - 1) {
      std::fill(out + (b * batch.max_frames() + end) * frame,
                out + (b + 1) * batch.max_frames() * frame, T(0));
    }
  });
}

}  // namespace

LatticeSolution solve_from_logits_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                                      bool flows) {
  NodeTerms terms = NodeTerms::make(batch);
  const int64_t outputs = logits.size(3), frame = batch.max_states() * outputs;
  const int64_t classes = outputs - batch.durations();
  const std::vector<FrameRange> ranges = divide(batch);
  with_numbers_of(logits, [&]<class T>(T) {
    for_each_in_parallel(ranges.size(), [&](int64_t i) {
      const auto [b, begin, end] = ranges[i];
      const int64_t states = batch.states_of(b);
      FloatRows<T> rows(logits, states);
      for (int64_t t = begin; t < end; ++t) {
        const int64_t offset = (b * batch.max_frames() + t) * frame;
        const float* const row = rows.read(offset, states);
        terms.set(batch, b, t * states, states, row, outputs, classes);
        terms.set_durations(b, t * states, states, row + classes, outputs);
      }
    });
  });
  at::Tensor losses = solve_lattices(batch, terms, flows);
  return {losses, terms.storage()};
}

at::Tensor logits_gradient_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                               const at::Tensor& terms, const at::Tensor& weights) {
  at::Tensor gradient = at::empty_like(logits);
  ask_for_huge_pages(gradient);
  const at::Tensor float_weights = weights.to(at::kFloat).contiguous();
  with_numbers_of(logits, [&]<class T>(T) {
    fill_gradient<T>(batch, logits, NodeTerms(terms, batch.durations()), float_weights, gradient);
  });
  return gradient;
}

LatticeSolution solve_from_log_probs_cpu(const LatticeBatch& batch, const at::Tensor& log_probs,
                                         bool flows) {
  NodeTerms terms = NodeTerms::make(batch);
  const int64_t classes = log_probs.size(3), frame = batch.max_states() * classes;
  with_numbers_of(log_probs, [&]<class T>(T) {
    const T* const data = log_probs.const_data_ptr<T>();
    for_each_in_parallel(batch.size(), [&](int64_t b) {
      const int64_t states = batch.states_of(b);
      for (int64_t t = 0; t < batch.frames_of(b); ++t)
        terms.set_arcs(batch, b, t * states, states, data + (b * batch.max_frames() + t) * frame,
                       classes, nullptr);
    });
  });
  at::Tensor losses = solve_lattices(batch, terms, flows);
  return {losses, terms.storage()};
}

at::Tensor log_probs_gradient_cpu(const LatticeBatch& batch, const at::Tensor& like,
                                  const at::Tensor& terms, const at::Tensor& weights) {
  at::Tensor gradient = at::zeros(like.sizes(), like.options());
  const NodeTerms flows(terms);
  const at::Tensor float_weights = weights.to(at::kFloat).contiguous();
  const int64_t classes = like.size(3);
  with_numbers_of(like, [&]<class T>(T) {
    for_each_in_parallel(batch.size(), [&](int64_t b) {
      const float weight = -float_weights.const_data_ptr<float>()[b];
      const int64_t states = batch.states_of(b);
      for (int64_t n = 0; n < batch.nodes_of(b); ++n) {
        const float blank = flows.blank(b)[n], label = flows.label(b)[n];
        if (blank + label < kNegligibleFlow) continue;
        const int64_t t = n / states, u = n % states;
        T* const row = gradient.data_ptr<T>() +
                       ((b * batch.max_frames() + t) * batch.max_states() + u) * classes;
        row[batch.blank()] = static_cast<T>(weight * blank);
        if (u + 1 < states) row[batch.labels_of(b)[u]] = static_cast<T>(weight * label);
      }
    });
  });
  return gradient;
}

}  // namespace scion
