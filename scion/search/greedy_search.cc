#include "scion/search/greedy_search.h"

#include <array>

namespace scion {

namespace {
constexpr int64_t kMostTogether = 16;
}

GreedySearch::GreedySearch(const LabelScores& scores, std::unique_ptr<LabelHistories> histories,
                           const SearchConfig& config)
    : scores_(scores),
      histories_(std::move(histories)),
      symbols_per_frame_(config.symbols_per_frame),
      rows_(scores, kMostTogether),
      history_(histories_->start()) {}

void GreedySearch::emit(int64_t label, int64_t frame) {
  found_.tokens.push_back(label);
  found_.frames.push_back(first_ + frame);
  history_ = histories_->next(*history_, label);
}

int64_t GreedySearch::step(const float* frames, int64_t t, int64_t count) {
  std::array<LabelScores::Pair, kMostTogether> pairs;
  const int64_t rows = std::min(together_, count - t);
  for (int64_t i = 0; i < rows; ++i)
    pairs[static_cast<size_t>(i)] = {frames + (t + i) * scores_.width(),
                                     history_->projected.data()};
  scores_.compute({pairs.data(), static_cast<size_t>(rows)}, rows_);
  for (int64_t i = 0; i < rows; ++i, ++t) {
    const float* const logits = rows_.logits(i);
    const int64_t best = std::max_element(logits, logits + scores_.vocabulary()) - logits;
    found_.log_probability += logits[best] - rows_.log_sum(i);
    if (best == blank) {
      symbols_ = 0;
      continue;
    }
    emit(best, t);
    together_ = 2;
    if (++symbols_ < symbols_per_frame_) return t;
    symbols_ = 0;
    return t + 1;
  }
  together_ = std::min(2 * together_, kMostTogether);
  return t;
}

void GreedySearch::advance(const float* frames, int64_t count, int64_t first) {
  first_ = first;
  for (int64_t t = 0; t < count;) t = step(frames, t, count);
}

}  // namespace scion
