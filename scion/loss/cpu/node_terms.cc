#include "scion/loss/cpu/node_terms.h"

#include "scion/loss/cpu/kernels.h"

namespace scion {

NodeTerms::NodeTerms(at::Tensor storage, int64_t durations)
    : storage_(std::move(storage)),
      data_(storage_.data_ptr<float>()),
      durations_(durations),
      size_(storage_.size(1)),
      stride_(storage_.stride(1)) {}

NodeTerms NodeTerms::make(const LatticeBatch& batch, bool with_rest) {
  const int64_t terms = 3 + batch.durations() + (with_rest ? 1 : 0);
  return NodeTerms(
      at::empty({terms, batch.size(), batch.max_frames(), batch.max_width()}, at::kFloat),
      batch.durations());
}

float earliness(const LatticeBatch& batch, int64_t b, int64_t t) {
  // Zero in an utterance's middle frame.
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
    const int64_t left = batch.first_of(b, t) - r + i;  // row r is state left + r
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

void NodeTerms::set_durations(int64_t b, int64_t first, int64_t count, const float* logits,
                              int64_t stride) {
  if (durations_ == 0) return;
  for (int64_t n = first; n < first + count; ++n, logits += stride) {
    const float most = *std::max_element(logits, logits + durations_);
    float sum = 0;
    for (int64_t i = 0; i < durations_; ++i) sum += std::exp(logits[i] - most);
    const float log_sum = most + std::log(sum);  // NaN if a logit is NaN or +∞, or all are −∞
    for (int64_t i = 0; i < durations_; ++i) duration(b, i)[n] = logits[i] - log_sum;
  }
}

// Sums over the classes themselves: one minus the probability of the others has no correct digit
// where the model is certain.
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

}  // namespace scion
