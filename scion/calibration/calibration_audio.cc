#include "scion/calibration/calibration_audio.h"

#include "scion/core/error.h"
#include "scion/loss/alignment.h"
#include "scion/recognition/model_dataset.h"

namespace scion {

CalibrationAudio read_calibration_audio(const Dataset& data, const Transducer& model,
                                        double seconds) {
  std::vector<std::pair<uint64_t, size_t>> order;
  for (size_t i = 0; i < data.size(); ++i) order.emplace_back(data.id_hash(i), i);
  std::sort(order.begin(), order.end());
  CalibrationAudio audio;
  for (const auto& [hash, i] : order) {
    if (!audio.utterances.empty() && audio.seconds + data.seconds(i) > seconds) break;
    const Example example = data.example(i, 1);
    if (!example.reason.empty() || model.frames_out(example.features.size(0)) == 0) continue;
    const std::vector<int64_t> tokens = data.tokenizer().encode(data.utterance(i).text);
    audio.utterances.push_back(
        {example.features.unsqueeze(0), at::tensor(tokens, at::kLong).unsqueeze(0), {}, {}});
    audio.seconds += data.seconds(i);
  }
  if (audio.utterances.empty())
    throw UserError("no utterance of the calibration audio can be used",
                    "give a manifest of readable files that are longer than one encoder frame");
  return audio;
}

CalibrationAudio read_calibration_audio(const std::vector<std::filesystem::path>& manifests,
                                        const ModelFile& teacher, double seconds) {
  return read_calibration_audio(dataset_for(teacher, manifests), *teacher.model, seconds);
}

static at::Tensor one_length(int64_t length) { return at::full({1}, length, at::kLong); }

static void run_heads(const Transducer& model, const CalibrationUtterance& utterance,
                      const SegmentOutputs& outputs, const ForwardContext& context) {
  const Joiner& joiner = model.joiner();
  const at::Tensor frames = joiner.project_encoder(outputs.encoded, context)[0];
  const at::Tensor labels = joiner.project_predictor(outputs.predicted, context)[0];
  if (context.inputs && utterance.node_frames.defined())
    context.inputs->linear({{joiner.weight()}, joiner.bias()},
                           at::tanh(frames.index_select(0, utterance.node_frames) +
                                    labels.index_select(0, utterance.node_labels)));
  if (model.config().ctc) model.ctc_logits(outputs.encoded, context);
  if (model.config().simple_joiner)
    model.simple_logits(outputs.encoded, outputs.predicted, context);
}

void run_segment(const Transducer& model, const CalibrationUtterance& utterance, ModelPart segment,
                 SegmentOutputs& outputs, InputObserver* observer) {
  ForwardContext context;
  context.inputs = observer;
  switch (segment) {
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

void choose_nodes(const Transducer& model, const SegmentOutputs& outputs,
                  CalibrationUtterance& utterance) {
  const ForwardContext context;
  const Joiner& joiner = model.joiner();
  const int64_t frames = outputs.encoded.size(1);
  const ForcedAlignment alignment =
      best_alignments({joiner.project_encoder(outputs.encoded, context),
                       joiner.project_predictor(outputs.predicted, context), joiner.weight(),
                       joiner.bias(), utterance.tokens, one_length(frames),
                       one_length(utterance.tokens.size(1))})
          .front();
  if (alignment.frames.size() != static_cast<size_t>(utterance.tokens.size(1))) return;
  std::vector<int64_t> node_frames, node_labels;
  size_t said = 0;
  for (int64_t t = 0; t < frames; ++t) {
    const auto visit = [&] {
      node_frames.push_back(t);
      node_labels.push_back(static_cast<int64_t>(said));
    };
    visit();
    for (; said < alignment.frames.size() && alignment.frames[said] == t; visit()) ++said;
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
