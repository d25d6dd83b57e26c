#include "scion/transducer/greedy_search.h"

namespace scion {
namespace {

// The search state of a batch: what each utterance has said, and the predictor's view of it.
struct BatchState {
  std::vector<Hypothesis> hypotheses;
  at::Tensor labels;     // (B, context) int64 on the CPU
  at::Tensor predicted;  // (B, joiner width)
};

void emit(BatchState& state, int64_t utterance, int64_t token, int64_t frame) {
  Hypothesis& hypothesis = state.hypotheses[static_cast<size_t>(utterance)];
  hypothesis.tokens.push_back(token);
  hypothesis.frames.push_back(frame);
  const int64_t context = state.labels.size(1);
  int64_t* labels = state.labels.data_ptr<int64_t>() + utterance * context;
  for (int64_t i = 0; i + 1 < context; ++i) labels[i] = labels[i + 1];
  labels[context - 1] = token;
}

}  // namespace

std::vector<Hypothesis> greedy_search(const Transducer& model, const EncoderOutput& encoded,
                                      const SearchConfig& config, const Context& context) {
  const at::NoGradGuard no_grad;
  const int64_t batch = encoded.frames.size(0);
  const at::Tensor frames = model.joiner().project_encoder(encoded.frames, context);
  const at::Tensor lengths = encoded.lengths.cpu();
  const int64_t* length = lengths.const_data_ptr<int64_t>();
  const auto predict = [&](const at::Tensor& labels) {
    const at::Tensor output = model.predictor().step(labels.to(model.device()), context);
    return model.joiner().project_predictor(output, context);
  };

  BatchState state;
  state.hypotheses.resize(static_cast<size_t>(batch));
  state.labels = at::zeros({batch, model.predictor().context_labels()}, at::kLong);
  state.predicted = predict(state.labels);
  const int64_t last = batch == 0 ? 0 : lengths.max().item<int64_t>();
  for (int64_t t = 0; t < last; ++t) {
    std::vector<bool> open(static_cast<size_t>(batch), true);  // no blank yet in this frame
    for (int64_t symbol = 0; symbol < config.symbols_per_frame; ++symbol) {
      const at::Tensor best =
          model.joiner().logits(frames.select(1, t), state.predicted).argmax(1).cpu();
      const int64_t* token = best.const_data_ptr<int64_t>();
      bool emitted = false;
      for (int64_t b = 0; b < batch; ++b) {
        const size_t i = static_cast<size_t>(b);
        open[i] = open[i] && t < length[b] && token[b] != blank;
        if (!open[i]) continue;
        emit(state, b, token[b], t);
        emitted = true;
      }
      if (!emitted) break;
      state.predicted = predict(state.labels);
    }
  }
  return state.hypotheses;
}

}  // namespace scion
