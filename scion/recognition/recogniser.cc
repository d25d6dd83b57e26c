#include "scion/recognition/recogniser.h"

#include <fmt/format.h>

#include "scion/core/device.h"
#include "scion/core/error.h"

namespace scion {
namespace {

// The features of a stream that has ended, (T, F).
at::Tensor all_features(const FeatureConfig& config, const std::vector<float>& samples) {
  StreamingFbank fbank(config);
  fbank.accept(samples.data(), static_cast<int64_t>(samples.size()));
  fbank.finish();
  return fbank.take(fbank.ready());
}

}  // namespace

Recogniser::Recogniser(const std::filesystem::path& model, const RecogniserConfig& config)
    : file_(load_model(model)), tokenizer_(file_.tokenizer), config_(config) {
  file_.model->to(find_device(config.device));
}

Recognition Recogniser::recognise(const Audio& audio) const {
  if (audio.sample_rate <= 0)
    throw UserError(fmt::format("audio with a sampling rate of {} Hz", audio.sample_rate),
                    "set Audio::sample_rate");
  if (audio.sample_rate != sample_rate()) {
    const auto from = static_cast<double>(audio.sample_rate);
    const auto to = static_cast<double>(sample_rate());
    return recognise({resample(audio.samples, from, to), sample_rate()});
  }
  const at::NoGradGuard no_grad;
  const ForwardContext context;
  const at::Tensor features = all_features(model().config().features, audio.samples);
  if (features.size(0) == 0) return {"", {}, audio.seconds()};
  const at::Tensor length = at::tensor({features.size(0)});
  const EncoderOutput encoded =
      model().encode(features.unsqueeze(0).to(model().device()), length, context);
  const Hypothesis best = find_hypotheses(model(), encoded, config_.search, context).front();
  return to_recognition(best, tokenizer_, model().config(), audio.seconds());
}

Recognition Recogniser::recognise_file(const std::filesystem::path& path,
                                       const AudioPart& part) const {
  return recognise(read_audio(path, sample_rate(), part));
}

StreamingRecogniser Recogniser::stream() const {
  return {model(), tokenizer_, config_.search, ForwardContext()};
}

}  // namespace scion
