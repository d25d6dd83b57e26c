#include "scion/model/streaming_encoder.h"

#include "scion/core/error.h"

namespace scion {

StreamingEncoder::StreamingEncoder(const Transducer& model, const ForwardContext& context)
    : model_(model), context_(context), layers_(model.encoder().stream(context)) {
  if (model.config().features.normalisation == FeatureNormalisation::utterance)
    throw UserError("the model normalises its features over whole utterances and cannot stream",
                    "train it with model.features.normalisation = \"global\"");
  const auto options = model.feature_mean().options();
  features_ = at::empty({1, 0, model.config().features.columns()}, options);
  waiting_ = at::empty({1, 0, model.encoder().output_axis().size()}, options);
}

at::Tensor StreamingEncoder::subsample(bool last) {
  const Subsampling& subsampling = model_.encoder().subsampling();
  const int64_t settled =
      last ? subsampling.frames_out(received_) : subsampling.frames_settled(received_);
  if (settled <= subsampled_) return waiting_.slice(1, 0, 0);
  const at::Tensor length = at::full({1}, features_.size(1), features_.options().dtype(at::kLong));
  const at::Tensor frames = subsampling.forward(features_, length, context_)
                                .slice(1, subsampled_ - first_, settled - first_);
  subsampled_ = settled;
  const int64_t first = std::max<int64_t>(0, settled - subsampling.frames_unsettled_by_cut());
  features_ = features_.slice(1, (first - first_) * subsampling.factor()).clone();
  first_ = first;
  return frames;
}

at::Tensor StreamingEncoder::advance(bool last) {
  waiting_ = at::cat({waiting_, subsample(last)}, 1);
  const int64_t chunk = model_.encoder().chunk_frames();
  const int64_t count = last ? waiting_.size(1) : waiting_.size(1) / chunk * chunk;
  const at::Tensor taken = waiting_.slice(1, 0, count);
  waiting_ = waiting_.slice(1, count).clone();
  return count == 0 ? taken : layers_->accept(taken);
}

at::Tensor StreamingEncoder::accept(const at::Tensor& features) {
  const at::NoGradGuard no_grad;
  const at::Tensor x = features.unsqueeze(0).to(features_.device());
  const at::Tensor length = at::full({1}, x.size(1), features_.options().dtype(at::kLong));
  features_ = at::cat({features_, model_.normalise(x, length)}, 1);
  received_ += features.size(0);
  return advance(false);
}

at::Tensor StreamingEncoder::finish() {
  const at::NoGradGuard no_grad;
  return advance(true);
}

}  // namespace scion
