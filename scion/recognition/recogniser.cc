#include "scion/recognition/recogniser.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "scion/audio/audio_pieces.h"
#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/out_of_memory.h"

namespace scion {
namespace {

// Features of samples that come in pieces.
class FeatureCollector {
 public:
  explicit FeatureCollector(const FeatureConfig& config) : fbank_(config) {}

  void accept(std::span<const float> samples) {
    constexpr size_t most = 1 << 20;  // held at a time
    for (; !samples.empty(); samples = samples.subspan(std::min(most, samples.size()))) {
      fbank_.accept(samples.data(), static_cast<int64_t>(std::min(most, samples.size())));
      take();
    }
  }
  /// (T, F), which the caller owns. A part is freed as soon as it is copied: an hour's features
  /// take 115 MB.
  at::Tensor finish() {
    fbank_.finish();
    take();
    at::Tensor joined = at::empty({frames_, parts_.front().size(1)}, parts_.front().options());
    int64_t begin = 0;
    for (at::Tensor& part : parts_) {
      joined.slice(0, begin, begin + part.size(0)).copy_(part);
      begin += part.size(0);
      part.reset();
    }
    return joined;
  }

 private:
  void take() {
    parts_.push_back(fbank_.take(fbank_.ready()));
    frames_ += parts_.back().size(0);
  }

  StreamingFbank fbank_;
  std::vector<at::Tensor> parts_;
  int64_t frames_ = 0;
};

// " (2.7 h)", or nothing where the length is not found.
std::string length_of(const std::filesystem::path& path) try {
  const double seconds = audio_seconds(path);
  if (seconds >= 3600) return fmt::format(" ({:.1f} h)", seconds / 3600);
  if (seconds >= 60) return fmt::format(" ({:.0f} min)", seconds / 60);
  return fmt::format(" ({:.0f} s)", seconds);
} catch (const std::exception&) {
  return "";
}

}  // namespace

Recogniser::Recogniser(const std::filesystem::path& model, const RecogniserConfig& config)
    : file_(load_model(model)),
      tokenizer_(file_.tokenizer),
      config_(config),
      context_(ForwardContext::for_recognition(
          use_bf16(config.precision, config.device, file_.model->registry().parameter_count()))) {
  file_.model->to(find_device(config.device));
  if (config.suppress_unknown) suppress_unknown(config_.search, tokenizer_);
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
  FeatureCollector features(model().config().features);
  features.accept(audio.samples);
  return recognise_features(features.finish(), audio.seconds());
}

Recognition Recogniser::recognise_features(at::Tensor features, double seconds) const {
  const at::NoGradGuard no_grad;
  if (features.size(0) == 0) return {"", {}, seconds};
  const at::Tensor length = at::tensor({features.size(0)});
  features = features.unsqueeze(0).to(model().device());
  at::Tensor subsampled = model().subsample(features, length, context_);
  features.reset();
  const EncoderOutput encoded = model().encode_subsampled(std::move(subsampled), length, context_);
  const Hypothesis best = find_hypotheses(model(), encoded, config_.search, context_).front();
  return to_recognition(best, tokenizer_, model().config(), seconds);
}

Recognition Recogniser::recognise_file(const std::filesystem::path& path,
                                       const AudioPart& part) const {
  try {
    constexpr int64_t piece_seconds = 600;
    FeatureCollector features(model().config().features);
    const int64_t samples =
        read_audio_in_pieces(path, sample_rate(), part, piece_seconds,
                             [&](std::span<const float> piece) { features.accept(piece); });
    return recognise_features(features.finish(),
                              static_cast<double>(samples) / static_cast<double>(sample_rate()));
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
  }
  throw Failure(fmt::format("out of memory on {}{}", path.string(), length_of(path)),
                "split it, use a streaming model (--streaming), or close other programs");
}

StreamingRecogniser Recogniser::stream() const {
  return {model(), tokenizer_, config_.search, context_};
}

}  // namespace scion
