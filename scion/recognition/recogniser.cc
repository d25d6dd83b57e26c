#include "scion/recognition/recogniser.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <memory>
#include <new>
#include <span>
#include <utility>

#include "scion/audio/audio_pieces.h"
#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/out_of_memory.h"

namespace scion {
namespace {

// Memory of the system's own, which grows without a copy and is given back as soon as it is freed;
// pages take none before they are written.
class GrowingPages {
 public:
  GrowingPages() = default;
  GrowingPages(const GrowingPages&) = delete;
  GrowingPages& operator=(const GrowingPages&) = delete;
  ~GrowingPages() {
    if (data_ != nullptr) munmap(data_, bytes_);
  }

  float* data() const { return static_cast<float*>(data_); }
  void grow(size_t bytes) {
    if (bytes <= bytes_) return;
    bytes = std::max(bytes, 2 * bytes_);
    void* const grown = data_ == nullptr ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                         : mremap(data_, bytes_, bytes, MREMAP_MAYMOVE);
    if (grown == MAP_FAILED) throw std::bad_alloc();
    data_ = grown;
    bytes_ = bytes;
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

// Features of samples that come in pieces. An hour's take 115 MB, so there is one copy of them.
class FeatureCollector {
 public:
  explicit FeatureCollector(const FeatureConfig& config)
      : columns_(config.columns()), fbank_(config), rows_(std::make_shared<GrowingPages>()) {}

  void accept(std::span<const float> samples) {
    constexpr size_t most = 1 << 20;  // held at a time
    for (; !samples.empty(); samples = samples.subspan(std::min(most, samples.size()))) {
      fbank_.accept(samples.data(), static_cast<int64_t>(std::min(most, samples.size())));
      take();
    }
  }
  /// (T, F), which the caller owns.
  at::Tensor finish() {
    fbank_.finish();
    take();
    if (frames_ == 0) return at::empty({0, columns_});
    float* const rows = rows_->data();
    return at::from_blob(
        rows, {frames_, columns_}, [owner = std::move(rows_)](void*) {}, at::kFloat);
  }

 private:
  void take() {
    const at::Tensor part = fbank_.take(fbank_.ready());
    const int64_t frames = frames_ + part.size(0);
    rows_->grow(static_cast<size_t>(frames * columns_) * sizeof(float));
    std::copy_n(part.const_data_ptr<float>(), part.numel(), rows_->data() + frames_ * columns_);
    frames_ = frames;
  }

  int64_t columns_;
  StreamingFbank fbank_;
  std::shared_ptr<GrowingPages> rows_;
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
