#include "scion/audio/fbank.h"

#include <numbers>

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {
namespace {

constexpr float epsilon = std::numeric_limits<float>::epsilon();

double mel_scale(double hertz) { return 1127.0 * std::log(1.0 + hertz / 700.0); }

/// The window function over `size` samples, Kaldi's definitions.
at::Tensor make_window(const std::string& kind, int64_t size) {
  std::vector<float> window(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) {
    const double cosine = std::cos(2 * std::numbers::pi * double(i) / double(size - 1));
    double value = 0.5 - 0.5 * cosine;  // hanning
    if (kind == "povey") value = std::pow(value, 0.85);
    if (kind == "hamming") value = 0.54 - 0.46 * cosine;
    window[static_cast<size_t>(i)] = static_cast<float>(value);
  }
  return at::tensor(window);
}

/// Triangles that overlap by half on the mel scale, as weights of the power spectrum. Every row
/// stands twice, because power is the sum of two squares (real and imaginary): (2 (fft/2+1), bins).
at::Tensor make_mel_weights(const FeatureConfig& config, int64_t fft_size) {
  const double nyquist = 0.5 * double(config.sample_rate);
  const double high =
      config.high_frequency > 0 ? config.high_frequency : nyquist + config.high_frequency;
  const double mel_low = mel_scale(config.low_frequency);
  const double mel_step = (mel_scale(high) - mel_low) / double(config.bins + 1);
  at::Tensor weights = at::zeros({fft_size / 2 + 1, 2, config.bins});
  auto w = weights.accessor<float, 3>();
  for (int64_t bin = 0; bin < config.bins; ++bin) {
    const double left = mel_low + double(bin) * mel_step, centre = left + mel_step,
                 right = centre + mel_step;
    for (int64_t i = 0; i < fft_size / 2; ++i) {  // Kaldi leaves the Nyquist frequency out
      const double mel = mel_scale(double(config.sample_rate) * double(i) / double(fft_size));
      if (mel <= left || mel >= right) continue;
      const double height =
          mel <= centre ? (mel - left) / (centre - left) : (right - mel) / (right - centre);
      w[i][0][bin] = w[i][1][bin] = static_cast<float>(height);
    }
  }
  return weights.flatten(0, 1);
}

/// Which of `count` samples stands at each of the places first … first + size - 1 when the signal
/// is continued by mirroring it at both ends, as often as needed.
at::Tensor mirrored_places(int64_t first, int64_t size, int64_t count) {
  at::Tensor places = at::empty({size}, at::kLong);
  auto place = places.accessor<int64_t, 1>();
  for (int64_t i = 0; i < size; ++i) {
    int64_t at = (first + i) % (2 * count);
    if (at < 0) at += 2 * count;
    place[i] = at < count ? at : 2 * count - 1 - at;
  }
  return places;
}

void check(const FeatureConfig& config) {
  const double nyquist = 0.5 * double(config.sample_rate);
  const double high =
      config.high_frequency > 0 ? config.high_frequency : nyquist + config.high_frequency;
  if (config.low_frequency < 0 || high > nyquist || config.low_frequency >= high)
    throw UserError(fmt::format("filter banks from {} Hz to {} Hz at a sample rate of {} Hz",
                                config.low_frequency, high, config.sample_rate),
                    fmt::format("choose 0 <= low_frequency < high_frequency <= {} Hz", nyquist));
  if (config.window != "povey" && config.window != "hamming" && config.window != "hanning")
    throw UserError("unknown window '" + config.window + "'", "use povey, hamming or hanning");
}

}  // namespace

void FeatureConfig::declare(Options& options) {
  options.add("sample_rate", sample_rate, "sample rate; audio at another rate is resampled")
      .range(1000, 192000)
      .unit("Hz");
  options.add("bins", bins, "mel filter banks").range(1, 512);
  options.add("frame_length", frame_length_ms, "length of an analysis window")
      .range(1, 1000)
      .unit("ms");
  options.add("frame_shift", frame_shift_ms, "distance of frames").range(1, 1000).unit("ms");
  options.add("low_frequency", low_frequency, "lower edge of the first bank")
      .range(0, 96000)
      .unit("Hz");
  options
      .add("high_frequency", high_frequency,
           "upper edge of the last bank; 0 or less counts from half the sample rate")
      .range(-96000, 96000)
      .unit("Hz");
  options.add("preemphasis", preemphasis, "each sample minus this share of the one before")
      .range(0, 1);
  options.add("remove_dc_offset", remove_dc_offset, "subtract each frame's mean");
  options.add("snip_edges", snip_edges,
              "only frames that lie whole in the signal; otherwise it is mirrored at its ends");
  options.add("use_energy", use_energy, "a first column with the frame's log energy");
  options
      .add("sample_scale", sample_scale,
           "factor on samples in [-1, 1]; 32768 for Kaldi's own scale")
      .range(1e-6, 1e6);
  options.add("window", window, "window function").choices({"povey", "hamming", "hanning"});
  options.add("normalisation", normalisation, "what the model does to features first")
      .choices({"none", "global", "utterance"});
}

Fbank::Fbank(const FeatureConfig& config) : config_(config) {
  check(config);
  window_samples_ =
      static_cast<int64_t>(double(config.sample_rate) * 0.001 * config.frame_length_ms);
  shift_samples_ = static_cast<int64_t>(double(config.sample_rate) * 0.001 * config.frame_shift_ms);
  if (window_samples_ < 2 || shift_samples_ < 1)
    throw UserError(fmt::format("frames of {} ms every {} ms at {} Hz", config.frame_length_ms,
                                config.frame_shift_ms, config.sample_rate),
                    "choose longer frames");
  fft_size_ = 1;
  while (fft_size_ < window_samples_) fft_size_ *= 2;
  window_ = make_window(config.window, window_samples_);
  mel_ = make_mel_weights(config, fft_size_);
}

int64_t Fbank::frame_count(int64_t samples) const {
  if (config_.snip_edges)
    return samples < window_samples_ ? 0 : 1 + (samples - window_samples_) / shift_samples_;
  return (samples + shift_samples_ / 2) / shift_samples_;
}

at::Tensor Fbank::padded_signal(const at::Tensor& samples, const std::vector<int64_t>& lengths,
                                int64_t frames) const {
  const int64_t size = frames == 0 ? 0 : (frames - 1) * shift_samples_ + window_samples_;
  // Without snipped edges the first frame is centred on the first shift.
  const int64_t before = config_.snip_edges ? 0 : (window_samples_ - shift_samples_) / 2;
  at::Tensor padded = at::zeros({samples.size(0), size}, samples.options());
  for (int64_t b = 0; b < samples.size(0); ++b) {
    const int64_t count = lengths[static_cast<size_t>(b)];
    const int64_t valid = frame_count(count);
    if (valid == 0) continue;
    const int64_t needed = (valid - 1) * shift_samples_ + window_samples_;
    const int64_t inside = std::min(count, needed - before);
    const at::Tensor from = samples[b].narrow(0, 0, count);
    at::Tensor to = padded[b];
    to.narrow(0, before, inside).copy_(from.narrow(0, 0, inside));
    const auto mirror = [&](int64_t first, int64_t length) {
      if (length <= 0) return;
      const at::Tensor places = mirrored_places(first - before, length, count).to(from.device());
      to.narrow(0, first, length).copy_(from.index_select(0, places));
    };
    mirror(0, before);
    mirror(before + inside, needed - before - inside);
  }
  return config_.sample_scale == 1 ? padded : padded.mul_(config_.sample_scale);
}

void Fbank::analyse(const at::Tensor& signal, int64_t first, const at::Tensor& features) const {
  const int64_t batch = signal.size(0), frames = features.size(1), last = window_samples_ - 1;
  // Overlapping windows of the signal, without a copy.
  const at::Tensor overlapping =
      signal.as_strided({batch, frames, window_samples_}, {signal.stride(0), shift_samples_, 1},
                        signal.storage_offset() + first * shift_samples_);
  const at::Tensor raw =
      config_.remove_dc_offset ? overlapping - overlapping.mean(-1, true) : overlapping;
  // x[n] - p x[n-1] with x[-1] = x[0], then the window, padded with zeros for the FFT.
  at::Tensor padded = at::empty({batch, frames, fft_size_}, signal.options());
  at::Tensor start = padded.narrow(-1, 0, 1), rest = padded.narrow(-1, 1, last);
  at::mul_out(start, raw.narrow(-1, 0, 1), at::scalar_tensor(1 - config_.preemphasis));
  at::sub_out(rest, raw.narrow(-1, 1, last), raw.narrow(-1, 0, last), config_.preemphasis);
  padded.narrow(-1, 0, window_samples_).mul_(window_.to(signal.options()));
  padded.narrow(-1, window_samples_, fft_size_ - window_samples_).zero_();

  // In float the FFT's rounding, a share of the loudest frequency, shows in nearly empty banks.
  const at::Tensor spectrum = at::view_as_real(at::fft_rfft(padded.to(at::kDouble))).flatten(-2);
  const at::Tensor power = spectrum.to(signal.scalar_type()).square_();
  at::Tensor banks = features.narrow(-1, config_.use_energy ? 1 : 0, config_.bins);
  at::matmul_out(banks, power, mel_.to(signal.options()));
  if (config_.use_energy) features.select(-1, 0).copy_(raw.square().sum(-1));
  features.clamp_min_(epsilon).log_();
}

at::Tensor Fbank::compute(const at::Tensor& samples, const std::vector<int64_t>& lengths) const {
  TORCH_CHECK(samples.dim() == 2 && samples.size(0) == int64_t(lengths.size()),
              "samples must be (B, N) with B lengths");
  const int64_t batch = samples.size(0);
  const int64_t longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  const int64_t frames = frame_count(longest);
  at::Tensor features = at::empty({batch, frames, config_.columns()}, samples.options());
  if (frames == 0) return features;
  const at::Tensor signal = padded_signal(samples, lengths, frames);
  // On a processor, blocks of frames that stay in its cache; on a GPU everything at once.
  const int64_t rows = samples.is_cuda() ? batch : 1, block = samples.is_cuda() ? frames : 256;
  for (int64_t b = 0; b < batch; b += rows)
    for (int64_t first = 0; first < frames; first += block)
      analyse(signal.narrow(0, b, rows), first,
              features.narrow(0, b, rows).narrow(1, first, std::min(block, frames - first)));
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t valid = frame_count(lengths[static_cast<size_t>(b)]);
    features[b].narrow(0, valid, frames - valid).fill_(feature_floor);
  }
  return features;
}

at::Tensor Fbank::compute(const at::Tensor& samples) const {
  return compute(samples.unsqueeze(0), {samples.size(0)}).squeeze(0);
}

}  // namespace scion
