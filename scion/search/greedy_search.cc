#include "scion/search/greedy_search.h"

namespace scion {

GreedySearch::GreedySearch(const Transducer& model, int64_t batch, const SearchConfig& config,
                           const ForwardContext& context)
    : model_(model),
      config_(config),
      context_(context),
      hypotheses_(static_cast<size_t>(batch)),
      predictor_(model, batch, context) {}

bool GreedySearch::step(const at::Tensor& logits, int64_t t, const at::Tensor& lengths,
                        std::vector<bool>& open) {
  const at::Tensor best = logits.argmax(1);
  const at::Tensor scores = at::log_softmax(logits, 1, at::kFloat).gather(1, best.unsqueeze(1));
  // One transfer from the device: labels are exact in double.
  const at::Tensor read =
      at::stack({best.to(at::kDouble), scores.squeeze(1).to(at::kDouble)}).cpu();
  const double* label = read.const_data_ptr<double>();
  const double* score = label + read.size(1);
  const int64_t* length = lengths.const_data_ptr<int64_t>();
  const at::Tensor emitting = at::zeros({read.size(1)}, at::kBool);
  bool any = false;
  for (size_t b = 0; b < open.size(); ++b) {
    open[b] = open[b] && t < length[b];
    if (!open[b]) continue;
    hypotheses_[b].log_probability += score[b];
    open[b] = static_cast<int64_t>(label[b]) != blank;
    if (!open[b]) continue;
    hypotheses_[b].tokens.push_back(static_cast<int64_t>(label[b]));
    hypotheses_[b].frames.push_back(frames_ + t);
    emitting.mutable_data_ptr<bool>()[b] = any = true;
  }
  if (any) predictor_.take(best, emitting);
  return any;
}

void GreedySearch::advance(const EncoderOutput& encoded) {
  const at::NoGradGuard no_grad;
  const at::Tensor frames = model_.joiner().project_encoder(encoded.frames, context_);
  const at::Tensor lengths = encoded.lengths.cpu();
  const int64_t last = lengths.numel() == 0 ? 0 : lengths.max().item<int64_t>();
  for (int64_t t = 0; t < last; ++t) {
    std::vector<bool> open(hypotheses_.size(), true);  // no blank yet in this frame
    for (int64_t symbol = 0; symbol < config_.symbols_per_frame; ++symbol)
      if (!step(model_.joiner().logits(frames.select(1, t), predictor_.projected()), t, lengths,
                open))
        break;
  }
  frames_ += encoded.frames.size(1);
}

}  // namespace scion
