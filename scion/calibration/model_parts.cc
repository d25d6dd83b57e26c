#include "scion/calibration/model_parts.h"

#include "scion/loss/alignment.h"

namespace scion {
namespace {

at::Tensor one_length(int64_t length) { return at::full({1}, length, at::kLong); }

void run_heads(const Transducer& model, const CalibrationUtterance& utterance,
               const PartOutputs& outputs, const ForwardContext& context) {
  const Joiner& joiner = model.joiner();
  const at::Tensor frames = joiner.project_encoder(outputs.encoded, context)[0];
  const at::Tensor labels = joiner.project_predictor(outputs.predicted, context)[0];
  if (context.inputs && utterance.node_frames.defined()) {
    const at::Tensor hidden = joiner.activate(frames.index_select(0, utterance.node_frames) +
                                              labels.index_select(0, utterance.node_labels));
    context.inputs->linear({{joiner.output().weight}, joiner.output().bias}, hidden);
    if (!model.config().durations.empty())
      context.inputs->linear({{joiner.durations().weight}, joiner.durations().bias}, hidden);
  }
  if (model.config().ctc) model.ctc_logits(outputs.encoded, context);
  if (model.config().simple_joiner)
    model.simple_logits(outputs.encoded, outputs.predicted, context);
}

}  // namespace

void run_part(const Transducer& model, const CalibrationUtterance& utterance, ModelPart part,
              PartOutputs& outputs, InputObserver* observer) {
  ForwardContext context;
  context.inputs = observer;
  switch (part) {
    case ModelPart::subsampling: {
      const at::Tensor length = one_length(utterance.features.size(1));
      outputs.subsampled = model.encoder().subsampling().forward(
          model.normalise(utterance.features, length), length, context);
      break;
    }
    case ModelPart::encoder:
      outputs.encoded = model.encoder().forward(outputs.subsampled,
                                                one_length(outputs.subsampled.size(1)), context);
      break;
    case ModelPart::predictor:
      outputs.predicted = model.predictor().forward(utterance.tokens, context);
      break;
    case ModelPart::heads:
      run_heads(model, utterance, outputs, context);
      break;
  }
}

void choose_nodes(const Transducer& model, const PartOutputs& outputs,
                  CalibrationUtterance& utterance) {
  const ForwardContext context;
  const int64_t frames = outputs.encoded.size(1);
  const ForcedAlignment alignment =
      best_alignments(model.joiner().inputs(outputs.encoded, outputs.predicted, context),
                      {utterance.tokens, one_length(frames), one_length(utterance.tokens.size(1))},
                      {}, {.durations = model.config().durations})
          .front();
  if (alignment.frames.size() != static_cast<size_t>(utterance.tokens.size(1))) return;
  std::vector<int64_t> node_frames, node_labels;
  size_t emitted = 0;
  for (int64_t t = 0; t < frames; ++t) {
    const auto visit = [&] {
      node_frames.push_back(t);
      node_labels.push_back(static_cast<int64_t>(emitted));
    };
    visit();
    for (; emitted < alignment.frames.size() && alignment.frames[emitted] == t; visit()) ++emitted;
  }
  utterance.node_frames = at::tensor(node_frames, at::kLong);
  utterance.node_labels = at::tensor(node_labels, at::kLong);
}

void for_each_utterance_in_lanes(size_t utterances,
                                 const std::function<void(size_t, size_t)>& work) {
  at::parallel_for(0, static_cast<int64_t>(calibration_lanes), 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_grad;
    for (auto lane = static_cast<size_t>(begin); lane < static_cast<size_t>(end); ++lane)
      for (size_t i = lane; i < utterances; i += calibration_lanes) work(lane, i);
  });
}

}  // namespace scion
