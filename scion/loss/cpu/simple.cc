// With p(t) = softmax(am(t)) and q(u) = softmax(lm(u)), the normaliser of am(t) + lm(u) is
// log Σ_v p(t,v) q(u,v) + log Σ_v exp am(t,v) + log Σ_v exp lm(u,v): one matrix product for all
// nodes, and two more for the gradients.
#include "scion/loss/cpu/simple.h"

#include "scion/core/parallel.h"
#include "scion/loss/cpu/kernels.h"
#include "scion/loss/cpu/solve.h"

namespace scion {
namespace {

// Keeps logarithms finite if all products of probabilities vanish.
constexpr float kLeastSum = std::numeric_limits<float>::min();
// Keeps gradients finite in that case; smaller numbers have no influence on a float sum.
constexpr float kLeastDivisor = 1e-30F;

/// The inputs of one utterance.
struct SimpleUtterance {
  const LatticeBatch& batch;
  int64_t b, frames, states, classes;
  const float *am, *lm;  // (frames, classes), (states, classes)

  SimpleUtterance(const LatticeBatch& lattices, int64_t number, const SimpleInputs& inputs)
      : batch(lattices),
        b(number),
        frames(lattices.frames_of(number)),
        states(lattices.states_of(number)),
        classes(inputs.am.size(2)),
        am(inputs.am.const_data_ptr<float>() + number * inputs.am.stride(0)),
        lm(inputs.lm.const_data_ptr<float>() + number * inputs.lm.stride(0)) {}
};

/// Rows of whole vectors, with one vector between them so that they do not share cache sets.
struct PaddedRows {
  int64_t columns, stride;  // columns: whole vectors
  std::vector<float> values;

  PaddedRows(int64_t rows, int64_t width)
      : columns((width + loss_kernels().lanes - 1) / loss_kernels().lanes * loss_kernels().lanes),
        stride(columns + loss_kernels().lanes),
        values(rows * stride, 0.F) {}
  float* row(int64_t r) { return values.data() + r * stride; }
  const float* row(int64_t r) const { return values.data() + r * stride; }
};

/// exp(rows − log_sums)
PaddedRows probabilities(const float* rows, int64_t count, int64_t classes, const float* log_sums) {
  PaddedRows out(count, classes);
  for (int64_t r = 0; r < count; ++r)
    loss_kernels().scaled_softmax(rows + r * classes, classes, log_sums[r], 1, out.row(r));
  return out;
}

PaddedRows transposed(const PaddedRows& matrix, int64_t rows, int64_t columns) {
  PaddedRows out(columns, rows);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < columns; ++k) out.row(k)[r] = matrix.row(r)[k];
  return out;
}

/// a (m × depth), its elements `row` and `column` apart, times b
PaddedRows product(int64_t m, int64_t depth, const float* a, int64_t row, int64_t column,
                   const PaddedRows& b) {
  PaddedRows out(m, b.columns);
  loss_kernels().multiply(m, b.columns, depth, a, row, column, b.row(0), b.stride,
                          loss_kernels().panel, {}, out.row(0), out.stride);
  return out;
}

/// Log-probabilities of the arcs. The terms' sums are Σ p q.
void set_simple_arcs(const SimpleUtterance& x, const float* am_sums, const float* lm_sums,
                     const SimpleLossOptions& options, NodeTerms& terms) {
  const auto alone = static_cast<float>(options.lm_only_scale), both = 1 - alone;
  const int64_t blank = x.batch.blank();
  const int64_t* const labels = x.batch.labels_of(x.b);
  // The predictor's share of a state's arcs; elsewhere the log-sum of lm cancels.
  std::vector<float> blanks(x.states), nexts(x.states, 0.F);
  for (int64_t u = 0; u < x.states; ++u) {
    const float* const row = x.lm + u * x.classes;
    blanks[u] = row[blank] - lm_sums[u];
    if (u + 1 < x.states) nexts[u] = row[labels[u]] - lm_sums[u];
  }
  const at::Tensor logs =
      (at::from_blob(terms.log_sum(x.b), {x.frames * x.states}, at::kFloat) + kLeastSum).log_();
  const float* log_sum = logs.const_data_ptr<float>();
  float* blank_arc = terms.blank(x.b);
  float* label_arc = terms.label(x.b);
  for (int64_t t = 0; t < x.frames; ++t) {
    const float* const row = x.am + t * x.classes;
    const float early = earliness(x.batch, x.b, t);
    for (int64_t u = 0; u < x.states; ++u, ++blank_arc, ++label_arc, ++log_sum) {
      const float joined = -am_sums[t] - *log_sum;
      *blank_arc = blanks[u] + both * (row[blank] + joined);
      *label_arc = u + 1 < x.states ? nexts[u] + both * (row[labels[u]] + joined) + early : 0;
    }
  }
}

/// Flows, sums and weights of an utterance, from which its gradients are made.
struct SimpleFlows {
  const float *sums, *blank, *label;  // (frames, states)
  float weight;                       // of the utterance's loss
  float both, alone;                  // shares of the joined loss and of the predictor's
};

/// d loss / d Σ p q, (frames, states)
std::vector<float> gradient_of_sums(const SimpleUtterance& x, const SimpleFlows& flows) {
  std::vector<float> out(x.frames * x.states);
  const float scale = flows.both * flows.weight;
  for (size_t n = 0; n < out.size(); ++n)
    out[n] = scale * (flows.blank[n] + flows.label[n]) / std::max(flows.sums[n], kLeastDivisor);
  return out;
}

/// p ⊙ (sums q) − arcs
void set_am_gradient(const SimpleUtterance& x, const SimpleFlows& flows,
                     const std::vector<float>& by_sums, const PaddedRows& p, const PaddedRows& q,
                     float* gradient) {
  const PaddedRows shares = product(x.frames, x.states, by_sums.data(), x.states, 1, q);
  const int64_t* const labels = x.batch.labels_of(x.b);
  const float scale = flows.both * flows.weight;
  const float *blank = flows.blank, *label = flows.label;
  for (int64_t t = 0; t < x.frames; ++t, gradient += x.classes) {
    const float *own = p.row(t), *share = shares.row(t);
    for (int64_t k = 0; k < x.classes; ++k) gradient[k] = own[k] * share[k];
    for (int64_t u = 0; u < x.states; ++u, ++blank, ++label) {
      gradient[x.batch.blank()] -= scale * *blank;
      if (u + 1 < x.states) gradient[labels[u]] -= scale * *label;
    }
  }
}

/// q ⊙ (sumsᵀ p + the flow of the predictor's own loss) − arcs
void set_lm_gradient(const SimpleUtterance& x, const SimpleFlows& flows,
                     const std::vector<float>& by_sums, const PaddedRows& p, const PaddedRows& q,
                     float* gradient) {
  const PaddedRows shares = product(x.states, x.frames, by_sums.data(), 1, x.states, p);
  std::vector<float> blanks(x.states, 0.F), nexts(x.states, 0.F);
  const float *blank = flows.blank, *label = flows.label;
  for (int64_t t = 0; t < x.frames; ++t)
    for (int64_t u = 0; u < x.states; ++u) {
      blanks[u] += *blank++;
      nexts[u] += *label++;
    }
  for (int64_t u = 0; u < x.states; ++u, gradient += x.classes) {
    const float *own = q.row(u), *share = shares.row(u);
    const float alone = flows.weight * flows.alone * (blanks[u] + nexts[u]);
    for (int64_t k = 0; k < x.classes; ++k) gradient[k] = own[k] * (share[k] + alone);
    gradient[x.batch.blank()] -= flows.weight * blanks[u];
    if (u + 1 < x.states) gradient[x.batch.labels_of(x.b)[u]] -= flows.weight * nexts[u];
  }
}

}  // namespace

SimpleSolution solve_simple_cpu(const LatticeBatch& batch, const SimpleInputs& inputs,
                                const SimpleLossOptions& options) {
  NodeTerms terms = NodeTerms::make(batch);
  const SimpleInputs log_sums{at::empty({batch.size(), batch.max_frames()}, at::kFloat),
                              at::empty({batch.size(), batch.max_states()}, at::kFloat)};
  for_each_in_parallel(batch.size(), [&](int64_t b) {
    const SimpleUtterance x(batch, b, inputs);
    float* const am_sums = log_sums.am.data_ptr<float>() + b * batch.max_frames();
    float* const lm_sums = log_sums.lm.data_ptr<float>() + b * batch.max_states();
    loss_kernels().log_sum_exp(x.am, x.frames, x.classes, x.classes, am_sums);
    loss_kernels().log_sum_exp(x.lm, x.states, x.classes, x.classes, lm_sums);
    const PaddedRows p = probabilities(x.am, x.frames, x.classes, am_sums);
    const PaddedRows q = probabilities(x.lm, x.states, x.classes, lm_sums);
    const PaddedRows sums =
        product(x.frames, x.classes, p.row(0), p.stride, 1, transposed(q, x.states, x.classes));
    float* to = terms.log_sum(b);
    for (int64_t t = 0; t < x.frames; ++t, to += x.states) std::copy_n(sums.row(t), x.states, to);
    set_simple_arcs(x, am_sums, lm_sums, options, terms);
  });
  constrain_arcs(batch, terms);
  SimpleSolution solution;
  const auto without_last = [&](const std::pair<at::Tensor, at::Tensor>& arcs) {
    return LatticeArcs{arcs.first, arcs.second.narrow(2, 0, batch.max_states() - 1)};
  };
  solution.arcs = without_last(terms.arcs(batch));
  solution.losses = solve_arcs(batch, terms, true);
  solution.flows = without_last(terms.arcs(batch));
  share_flows(batch, terms);
  solution.terms = terms.storage();
  solution.log_sums = log_sums;
  return solution;
}

SimpleInputs simple_gradients_cpu(const LatticeBatch& batch, const SimpleInputs& inputs,
                                  const at::Tensor& terms, const SimpleInputs& log_sums,
                                  const at::Tensor& weights, const SimpleLossOptions& options) {
  const NodeTerms terms_of(terms);
  const SimpleInputs gradients{at::zeros_like(inputs.am), at::zeros_like(inputs.lm)};
  const at::Tensor float_weights = weights.to(at::kFloat).contiguous();
  for_each_in_parallel(batch.size(), [&](int64_t b) {
    const SimpleUtterance x(batch, b, inputs);
    const auto alone = static_cast<float>(options.lm_only_scale);
    const SimpleFlows flows{terms_of.log_sum(b), terms_of.blank(b),
                            terms_of.label(b),   float_weights.const_data_ptr<float>()[b],
                            1 - alone,           alone};
    // Without an alignment all flows are zero and the sums may not be finite. An alignment leaves
    // every frame, so the first frame's flows tell.
    const auto flows_somewhere = [&](const float* flow) {
      return std::any_of(flow, flow + x.states, [](float f) { return f != 0; });
    };
    if (x.frames == 0 || !(flows_somewhere(flows.blank) || flows_somewhere(flows.label))) return;
    const PaddedRows p = probabilities(
        x.am, x.frames, x.classes, log_sums.am.const_data_ptr<float>() + b * batch.max_frames());
    const PaddedRows q = probabilities(
        x.lm, x.states, x.classes, log_sums.lm.const_data_ptr<float>() + b * batch.max_states());
    const std::vector<float> by_sums = gradient_of_sums(x, flows);
    set_am_gradient(x, flows, by_sums, p, q,
                    gradients.am.data_ptr<float>() + b * gradients.am.stride(0));
    set_lm_gradient(x, flows, by_sums, p, q,
                    gradients.lm.data_ptr<float>() + b * gradients.lm.stride(0));
  });
  return gradients;
}

}  // namespace scion
