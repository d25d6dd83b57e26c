#include "scion/search/label_histories.h"

#include <map>

namespace scion {

PredictorProjection::PredictorProjection(const Transducer& model)
    : width_(model.joiner().predictor_projection().weight.size(0)),
      weight_(model.joiner().predictor_projection().weight.detach().cpu().t(), nullptr),
      bias_(static_cast<size_t>(weight_.columns())),
      depth_(model.joiner().predictor_projection().weight.size(1)) {
  const at::Tensor bias = model.joiner().predictor_projection().bias.detach().cpu();
  std::copy_n(bias.const_data_ptr<float>(), width_, bias_.begin());
}

std::vector<float> PredictorProjection::project(const float* output) const {
  std::vector<float> projected(bias_.size());
  Tile row(1, depth_);
  std::copy_n(output, depth_, row.row(0));
  weight_.multiply(1, row, PairTile(0, 0), {bias_.data(), 0}, projected.data(), weight_.columns());
  return projected;
}

namespace {

class RecentLabels : public LabelHistories {
 public:
  RecentLabels(const StatelessPredictor& predictor, const PredictorProjection& projection)
      : predictor_(predictor),
        projection_(projection),
        output_(static_cast<size_t>(predictor.output_axis().size())) {}

  LabelHistoryPtr start() override {
    return of_context(std::vector<int64_t>(static_cast<size_t>(predictor_.context_labels())));
  }
  LabelHistoryPtr next(const LabelHistory& before, int64_t label) override {
    std::vector<int64_t> context(before.context.begin() + 1, before.context.end());
    context.push_back(label);
    return of_context(std::move(context));
  }
  int64_t context_labels() const override { return predictor_.context_labels(); }

 private:
  LabelHistoryPtr of_context(std::vector<int64_t> context) {
    constexpr size_t most = 4096;  // kept
    if (const auto known = known_.find(context); known != known_.end()) return known->second;
    if (known_.size() == most) known_.clear();
    predictor_.output(context.data(), output_.data());
    auto history = std::make_shared<LabelHistory>();
    history->projected = projection_.project(output_.data());
    history->context = context;
    known_.emplace(std::move(context), history);
    return history;
  }

  const StatelessPredictor& predictor_;
  const PredictorProjection& projection_;
  std::map<std::vector<int64_t>, LabelHistoryPtr> known_;  // by context
  std::vector<float> output_;                              // (predictor width)
};

// By tensor operations: an LSTM, or any predictor on a GPU.
class PredictorStates : public LabelHistories {
 public:
  PredictorStates(const Transducer& model, const ForwardContext& context,
                  const PredictorProjection& projection)
      : model_(model), context_(context), projection_(projection) {}

  LabelHistoryPtr start() override { return of_state(model_.predictor().start(1, context_)); }
  LabelHistoryPtr next(const LabelHistory& before, int64_t label) override {
    const at::Tensor labels = at::full({1}, label, at::kLong).to(model_.device());
    return of_state(model_.predictor().next(before.state, labels, context_));
  }
  int64_t context_labels() const override {
    const auto* stateless = dynamic_cast<const StatelessPredictor*>(&model_.predictor());
    return stateless == nullptr ? 1 : stateless->context_labels();
  }

 private:
  LabelHistoryPtr of_state(PredictorState state) const {
    auto history = std::make_shared<LabelHistory>();
    const at::Tensor output = state.output.cpu().contiguous();
    history->projected = projection_.project(output.const_data_ptr<float>());
    history->state = std::move(state);
    return history;
  }

  const Transducer& model_;
  ForwardContext context_;
  const PredictorProjection& projection_;
};

}  // namespace

std::unique_ptr<LabelHistories> make_label_histories(const Transducer& model,
                                                     const ForwardContext& context,
                                                     const PredictorProjection& projection) {
  const auto* stateless = dynamic_cast<const StatelessPredictor*>(&model.predictor());
  if (stateless != nullptr && model.device().is_cpu())
    return std::make_unique<RecentLabels>(*stateless, projection);
  return std::make_unique<PredictorStates>(model, context, projection);
}

}  // namespace scion
