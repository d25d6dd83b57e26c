#include "scion/search/device_greedy_search.h"

#include "scion/core/device.h"
#include "scion/search/label_scores.h"

namespace scion {

DeviceGreedySearch::DeviceGreedySearch(const Transducer& model, int64_t batch,
                                       const SearchConfig& config, const ForwardContext& context)
    : model_(model),
      config_(config),
      context_(context),
      hypotheses_(static_cast<size_t>(batch)),
      output_(search_output(model.joiner().output(), config)),
      predictor_(model, batch, context) {
  const auto options = at::TensorOptions(at::kLong).device(model.device());
  symbols_ = at::zeros({batch}, options);
  log_probability_ = at::zeros({batch}, options.dtype(at::kDouble));
}

at::Tensor DeviceGreedySearch::step(const Piece& piece) {
  const int64_t batch = time_.size(0);
  const at::Tensor each = at::arange(batch, time_.options());
  const at::Tensor row = each * piece.longest + time_.clamp_max(piece.longest - 1);
  const at::Tensor hidden =
      model_.joiner().activate(piece.frames.index_select(0, row) + predictor_.projected());
  const at::Tensor logits = at::linear(hidden, output_.weight, output_.bias);
  const at::Tensor label = logits.argmax(1);
  const at::Tensor score = at::log_softmax(logits, 1, at::kFloat).gather(1, label.unsqueeze(1));
  const at::Tensor active = time_.lt(piece.lengths);
  const at::Tensor emits = active.logical_and(label.ne(blank));
  log_probability_ += at::where(active, score.squeeze(1).to(at::kDouble), 0);
  const at::Tensor found = at::stack({at::where(emits, label, -1), time_});

  predictor_.take(label, emits);
  symbols_ = at::where(emits, symbols_ + 1, 0);
  const at::Tensor moves =
      active.logical_and(emits.logical_not().logical_or(symbols_.ge(config_.symbols_per_frame)));
  time_ = time_ + moves.to(at::kLong);
  symbols_ = at::where(moves, 0, symbols_);
  return found;
}

void DeviceGreedySearch::append(const at::Tensor& steps) {
  const auto found = steps.accessor<int64_t, 3>();
  for (int64_t i = 0; i < found.size(0); ++i)
    for (size_t b = 0; b < hypotheses_.size(); ++b) {
      const int64_t label = found[i][0][static_cast<int64_t>(b)];
      if (label < 0) continue;
      hypotheses_[b].tokens.push_back(label);
      hypotheses_[b].frames.push_back(frames_ + found[i][1][static_cast<int64_t>(b)]);
    }
}

void DeviceGreedySearch::advance(const EncoderOutput& encoded) {
  const at::NoGradGuard no_grad;
  const at::Tensor lengths = encoded.lengths.cpu();
  const int64_t longest = lengths.numel() == 0 ? 0 : lengths.max().item<int64_t>();
  if (longest == 0) {
    frames_ += encoded.frames.size(1);
    return;
  }
  const at::Tensor frames =
      model_.joiner().project_encoder(encoded.frames.slice(1, 0, longest), context_);
  const Piece piece{frames.reshape({-1, frames.size(2)}), upload(lengths, frames.device()),
                    longest};
  time_ = at::zeros_like(piece.lengths);
  // The longest utterance has a step for each of its frames at least; later it is asked more often
  // whether steps are left.
  constexpr int64_t kStepsBetweenReads = 64;
  for (int64_t steps = longest;; steps = kStepsBetweenReads) {
    std::vector<at::Tensor> found;
    for (int64_t i = 0; i < steps; ++i) found.push_back(step(piece));
    // One transfer from the device: the last row says who has frames left.
    const at::Tensor left = time_.lt(piece.lengths).to(at::kLong);
    found.push_back(at::stack({left, left}));
    const at::Tensor read = at::stack(found).cpu();
    append(read.slice(0, 0, steps));
    if (!read[steps].any().item<bool>()) break;
  }
  const at::Tensor totals = log_probability_.cpu();
  for (size_t b = 0; b < hypotheses_.size(); ++b)
    hypotheses_[b].log_probability = totals[static_cast<int64_t>(b)].item<double>();
  frames_ += encoded.frames.size(1);
}

}  // namespace scion
