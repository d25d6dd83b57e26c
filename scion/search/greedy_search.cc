#include "scion/search/greedy_search.h"

namespace scion {
namespace {

// Rows of `after` where `changed` (B) bool, else of `before`.
at::Tensor choose_rows(const at::Tensor& changed, const at::Tensor& after,
                       const at::Tensor& before) {
  std::vector<int64_t> shape(static_cast<size_t>(after.dim()), 1);
  shape[0] = changed.size(0);
  return at::where(changed.view(shape), after, before);
}

}  // namespace

GreedySearch::GreedySearch(const Transducer& model, int64_t batch, const SearchConfig& config,
                           const ForwardContext& context)
    : model_(model), config_(config), context_(context), hypotheses_(static_cast<size_t>(batch)) {
  const at::NoGradGuard no_grad;
  state_ = model.predictor().start(batch, context);
  predicted_ = model.joiner().project_predictor(state_.output, context);
}

bool GreedySearch::emit(const at::Tensor& best, int64_t t, const at::Tensor& lengths,
                        std::vector<bool>& open) {
  const at::Tensor labels = best.cpu();
  const int64_t* label = labels.const_data_ptr<int64_t>();
  const int64_t* length = lengths.const_data_ptr<int64_t>();
  const at::Tensor emitting = at::zeros({labels.size(0)}, at::kBool);
  bool any = false;
  for (size_t b = 0; b < open.size(); ++b) {
    open[b] = open[b] && t < length[b] && label[b] != blank;
    if (!open[b]) continue;
    hypotheses_[b].tokens.push_back(label[b]);
    hypotheses_[b].frames.push_back(frames_ + t);
    emitting.mutable_data_ptr<bool>()[b] = any = true;
  }
  if (!any) return false;
  PredictorState after = model_.predictor().next(state_, best, context_);
  const at::Tensor changed = emitting.to(best.device());
  state_.output = choose_rows(changed, after.output, state_.output);
  for (size_t i = 0; i < state_.memory.size(); ++i)
    state_.memory[i] = choose_rows(changed, after.memory[i], state_.memory[i]);
  predicted_ = model_.joiner().project_predictor(state_.output, context_);
  return true;
}

void GreedySearch::advance(const EncoderOutput& encoded) {
  const at::NoGradGuard no_grad;
  const at::Tensor frames = model_.joiner().project_encoder(encoded.frames, context_);
  const at::Tensor lengths = encoded.lengths.cpu();
  const int64_t last = lengths.numel() == 0 ? 0 : lengths.max().item<int64_t>();
  for (int64_t t = 0; t < last; ++t) {
    std::vector<bool> open(hypotheses_.size(), true);  // no blank yet in this frame
    for (int64_t symbol = 0; symbol < config_.symbols_per_frame; ++symbol) {
      const at::Tensor best = model_.joiner().logits(frames.select(1, t), predicted_).argmax(1);
      if (!emit(best, t, lengths, open)) break;
    }
  }
  frames_ += encoded.frames.size(1);
}

std::vector<Hypothesis> greedy_search(const Transducer& model, const EncoderOutput& encoded,
                                      const SearchConfig& config, const ForwardContext& context) {
  GreedySearch search(model, encoded.frames.size(0), config, context);
  search.advance(encoded);
  return search.hypotheses();
}

}  // namespace scion
