#include "scion/search/frame_search.h"

#include "scion/search/greedy_search.h"
#include "scion/search/modified_beam_search.h"

namespace scion {

std::unique_ptr<UtteranceSearch> make_utterance_search(const LabelScores& scores,
                                                       std::unique_ptr<LabelHistories> histories,
                                                       const SearchConfig& config) {
  if (config.beam > 1)
    return std::make_unique<ModifiedBeamSearch>(scores, std::move(histories), config);
  return std::make_unique<GreedySearch>(scores, std::move(histories), config);
}

FrameSearch::FrameSearch(const Transducer& model, int64_t batch, const SearchConfig& config,
                         const ForwardContext& context)
    : model_(model),
      context_(context),
      scores_(search_output(model.joiner().output(), config), model.joiner().activation()),
      projection_(model),
      best_(static_cast<size_t>(batch)) {
  const at::NoGradGuard no_grad;
  for (int64_t b = 0; b < batch; ++b)
    utterances_.push_back(
        make_utterance_search(scores_, make_label_histories(model, context, projection_), config));
}

void FrameSearch::advance(const EncoderOutput& encoded) {
  const at::NoGradGuard no_grad;
  const at::Tensor frames =
      model_.joiner().project_encoder(encoded.frames, context_).cpu().contiguous();
  const at::Tensor lengths = encoded.lengths.cpu();
  const auto* length = lengths.const_data_ptr<int64_t>();
  const auto* first = frames.const_data_ptr<float>();
  at::parallel_for(0, lengths.numel(), 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad_here;
    for (int64_t b = begin; b < end; ++b) {
      UtteranceSearch& utterance = *utterances_[static_cast<size_t>(b)];
      utterance.advance(first + b * frames.stride(0), length[b], frames_);
      best_[static_cast<size_t>(b)] = std::move(utterance.hypotheses().front());
    }
  });
  frames_ += encoded.frames.size(1);
}

std::vector<Hypothesis> FrameSearch::n_best(size_t utterance) const {
  return utterances_[utterance]->hypotheses();
}

}  // namespace scion
