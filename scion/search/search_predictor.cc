#include "scion/search/search_predictor.h"

namespace scion {

SearchPredictor::SearchPredictor(const Transducer& model, int64_t batch,
                                 const ForwardContext& context)
    : model_(model), context_(context) {
  const at::NoGradGuard no_grad;
  state_ = model.predictor().start(batch, context);
  projected_ = model.joiner().project_predictor(state_.output, context);
}

void SearchPredictor::take(const at::Tensor& labels, const at::Tensor& emitting) {
  const int64_t batch = labels.size(0);
  const PredictorState after = model_.predictor().next(state_, labels, context_);
  const at::Tensor rows = at::arange(batch, labels.options().device(emitting.device())) +
                          emitting.to(at::kLong) * batch;
  state_ = state_.append(after).select(rows.to(labels.device()));
  projected_ = model_.joiner().project_predictor(state_.output, context_);
}

}  // namespace scion
