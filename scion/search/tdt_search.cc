#include "scion/search/tdt_search.h"

#include "scion/search/label_scores.h"

namespace scion {

void TdtPosition::step(bool is_label, int64_t duration) {
  int64_t forced = 0;
  if (limit_ == FrameLimit::steps) {
    forced = ++counted_ >= most_ ? 1 : 0;
  } else if (duration == 0) {
    forced = !is_label || ++counted_ >= most_ ? 1 : 0;
  }
  if (duration + forced > 0) counted_ = 0;
  frame_ += duration + forced;
}

TdtSearch::TdtSearch(const Transducer& model, int64_t batch, const SearchConfig& config,
                     const ForwardContext& context)
    : model_(model),
      context_(context),
      hypotheses_(static_cast<size_t>(batch)),
      positions_(hypotheses_.size(), TdtPosition(config.frame_limit, config.symbols_per_frame)),
      output_(search_output(model.joiner().output(), config)),
      predictor_(model, batch, context) {}

at::Tensor TdtSearch::own_frames(const at::Tensor& frames) const {
  const at::Tensor own = at::empty({frames.size(0)}, at::kLong);
  for (size_t b = 0; b < positions_.size(); ++b)
    own.mutable_data_ptr<int64_t>()[b] = std::min(positions_[b].frame(), frames.size(1) - 1);
  const at::Tensor rows = at::arange(frames.size(0)) * frames.size(1) + own;
  return frames.flatten(0, 1).index_select(0, rows.to(frames.device()));
}

bool TdtSearch::step(const at::Tensor& frames, const int64_t* lengths) {
  std::vector<size_t> open;
  for (size_t b = 0; b < positions_.size(); ++b)
    if (positions_[b].frame() < lengths[b]) open.push_back(b);
  if (open.empty()) return false;
  const at::Tensor hidden = model_.joiner().activate(own_frames(frames) + predictor_.projected());
  const at::Tensor tokens = at::linear(hidden, output_.weight, output_.bias);
  const Linear& of_durations = model_.joiner().durations();
  const at::Tensor durations = at::linear(hidden, of_durations.weight, of_durations.bias);
  const at::Tensor best = tokens.argmax(1);
  const at::Tensor scores = at::log_softmax(tokens, 1, at::kFloat).gather(1, best.unsqueeze(1));
  // One transfer from the device: labels are exact in double.
  const at::Tensor read = at::stack({best.to(at::kDouble), scores.squeeze(1).to(at::kDouble),
                                     durations.argmax(1).to(at::kDouble)})
                              .cpu();
  const auto rows = read.accessor<double, 2>();
  const at::Tensor emitting = at::zeros({read.size(1)}, at::kBool);
  bool any = false;
  for (const size_t b : open) {
    const auto row = static_cast<int64_t>(b);
    const auto label = static_cast<int64_t>(rows[0][row]);
    const int64_t duration = model_.config().durations[static_cast<size_t>(rows[2][row])];
    Hypothesis& found = hypotheses_[b];
    found.log_probability += rows[1][row];
    if (label != blank) {
      found.tokens.push_back(label);
      found.frames.push_back(frames_ + positions_[b].frame());
      found.durations.push_back(duration);
      emitting.mutable_data_ptr<bool>()[b] = any = true;
    }
    positions_[b].step(label != blank, duration);
  }
  if (any) predictor_.take(best, emitting);
  return true;
}

void TdtSearch::advance(const EncoderOutput& encoded) {
  const at::NoGradGuard no_grad;
  const at::Tensor frames = model_.joiner().project_encoder(encoded.frames, context_);
  const at::Tensor lengths = encoded.lengths.cpu();
  while (step(frames, lengths.const_data_ptr<int64_t>())) continue;
  for (TdtPosition& position : positions_) position.start_piece(encoded.frames.size(1));
  frames_ += encoded.frames.size(1);
}

}  // namespace scion
