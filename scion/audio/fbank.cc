#include "scion/audio/fbank.h"

#include <numbers>

#include "scion/audio/fbank_kernel.h"
#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {
namespace {

double kaldi_mel(double hertz) { return 1127.0 * std::log(1.0 + hertz / 700.0); }

/// Linear below 1 kHz, logarithmic above (Slaney's Auditory Toolbox, 1998).
double slaney_mel(double hertz) {
  return hertz < 1000 ? hertz * 3 / 200 : 15 + 27 * std::log(hertz / 1000) / std::log(6.4);
}
double slaney_hertz(double mel) {
  return mel < 15 ? mel * 200 / 3 : 1000 * std::exp((mel - 15) * std::log(6.4) / 27);
}

/// The window function over `size` samples, Kaldi's definitions.
std::vector<double> make_window(WindowShape shape, int64_t size) {
  std::vector<double> window(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) {
    const double cosine = std::cos(2 * std::numbers::pi * double(i) / double(size - 1));
    double value = 0.5 - 0.5 * cosine;  // hanning
    if (shape == WindowShape::povey) value = std::pow(value, 0.85);
    if (shape == WindowShape::hamming) value = 0.54 - 0.46 * cosine;
    window[static_cast<size_t>(i)] = value;
  }
  return window;
}

/// Triangles that overlap by half: on Kaldi's mel scale, or with corners even on Slaney's and sides
/// straight in Hz, then of equal area.
class MelBanks {
 public:
  explicit MelBanks(const FeatureConfig& config) : slaney_(config.mel_scale == MelScale::slaney) {
    const double nyquist = 0.5 * double(config.sample_rate);
    const double high =
        config.high_frequency > 0 ? config.high_frequency : nyquist + config.high_frequency;
    low_ = mel(config.low_frequency);
    step_ = (mel(high) - low_) / double(config.bins + 1);
  }
  /// The weight of a frequency's power in a bank.
  double weight(int64_t bin, double hertz) const {
    const double place = slaney_ ? hertz : mel(hertz);
    const double left = corner(bin), centre = corner(bin + 1), right = corner(bin + 2);
    if (place <= left || place >= right) return 0;
    const double height =
        place <= centre ? (place - left) / (centre - left) : (right - place) / (right - centre);
    return slaney_ ? height * 2 / (right - left) : height;
  }

 private:
  double mel(double hertz) const { return slaney_ ? slaney_mel(hertz) : kaldi_mel(hertz); }
  double corner(int64_t i) const {
    const double at = low_ + double(i) * step_;
    return slaney_ ? slaney_hertz(at) : at;
  }
  bool slaney_;
  double low_ = 0, step_ = 0;
};

/// Index of the sample at a position when the signal of `count` samples is mirrored at both
/// ends, as often as needed.
int64_t mirrored_place(int64_t place, int64_t count) {
  int64_t at = place % (2 * count);
  if (at < 0) at += 2 * count;
  return at < count ? at : 2 * count - 1 - at;
}

void check(const FeatureConfig& config) {
  const double nyquist = 0.5 * double(config.sample_rate);
  const double high =
      config.high_frequency > 0 ? config.high_frequency : nyquist + config.high_frequency;
  if (config.low_frequency < 0 || high > nyquist || config.low_frequency >= high)
    throw UserError(fmt::format("filter banks from {} Hz to {} Hz at a sample rate of {} Hz",
                                config.low_frequency, high, config.sample_rate),
                    fmt::format("choose 0 <= low_frequency < high_frequency <= {} Hz", nyquist));
  if (config.snip_edges && config.padding != EdgePadding::mirror)
    throw UserError("snip_edges with padding = " + word_of(config.padding),
                    "frames that lie whole in the signal need no padding: leave one of them out");
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
  options.add("preemphasis_over", preemphasis_over,
              "preemphasis within each frame, or of the signal");
  options.add("remove_dc_offset", remove_dc_offset, "subtract each frame's mean");
  options.add("snip_edges", snip_edges,
              "only frames that lie whole in the signal; otherwise it is mirrored at its ends");
  options.add(
      "padding", padding,
      "the signal mirrored at its ends, or zeros and frames centred at multiples of the shift");
  options.add("mel_scale", mel_scale, "Kaldi's mel scale, or Slaney's with banks of equal area");
  options
      .add("log_offset", log_offset,
           "added before the logarithm; 0: values below 1.19e-7 count as that")
      .range(0, 1);
  options.add("use_energy", use_energy, "a first column with the frame's log energy");
  options
      .add("sample_scale", sample_scale,
           "factor on samples in [-1, 1]; 32768 for Kaldi's own scale")
      .range(1e-6, 1e6);
  options.add("window", window, "window function");
  options.add("normalisation", normalisation, "what the model does to features first");
}

FeatureConfig nemo_features() {
  FeatureConfig config;
  config.low_frequency = 0;
  config.high_frequency = 0;
  config.preemphasis_over = PreemphasisOver::signal;
  config.remove_dc_offset = false;
  config.padding = EdgePadding::zero;
  config.mel_scale = MelScale::slaney;
  config.log_offset = 0x1p-24;
  config.window = WindowShape::hanning;
  config.normalisation = FeatureNormalisation::utterance;
  return config;
}

int64_t transform_length(int64_t window_samples) {
  int64_t length = 2;
  while (length < window_samples) length *= 2;
  return length;
}

/// Tables of the window, the transform and the mel filters.
struct Fbank::Tables {
  std::vector<double> window, cosine, sine, mel_weights;
  std::vector<int32_t> reversed, mel_first, mel_end;
  FbankPlan plan{};

  Tables(const FeatureConfig& config, int64_t window_samples)
      : window(make_window(config.window, window_samples)) {
    const int64_t fft_size = transform_length(window_samples);
    fill_fourier(fft_size);
    fill_mel(config, fft_size);
    plan = {
        .window_samples = window_samples,
        .fft_size = fft_size,
        .bins = config.bins,
        .window = window.data(),
        .cosine = cosine.data(),
        .sine = sine.data(),
        .reversed = reversed.data(),
        .mel_first = mel_first.data(),
        .mel_end = mel_end.data(),
        .mel_weights = mel_weights.data(),
        .scale = config.sample_scale,
        .preemphasis = config.preemphasis_over == PreemphasisOver::frame ? config.preemphasis : 0,
        .log_offset = config.log_offset,
        .remove_dc_offset = config.remove_dc_offset,
        .use_energy = config.use_energy};
  }
  Tables(const Tables&) = delete;  // the plan points into it
  Tables& operator=(const Tables&) = delete;

 private:
  void fill_fourier(int64_t fft_size) {
    const int64_t half = fft_size / 2;
    for (int64_t k = 0; k < half; ++k) {
      const double angle = 2 * std::numbers::pi * double(k) / double(fft_size);
      cosine.push_back(std::cos(angle));
      sine.push_back(std::sin(angle));
    }
    reversed.assign(static_cast<size_t>(half), 0);
    for (int64_t i = 1; i < half; ++i)
      reversed[size_t(i)] =
          static_cast<int32_t>(reversed[size_t(i / 2)] / 2 + (i % 2 == 1 ? half / 2 : 0));
  }
  void fill_mel(const FeatureConfig& config, int64_t fft_size) {
    const MelBanks banks(config);
    for (int64_t bin = 0; bin < config.bins; ++bin) {
      int32_t first = 0, end = 0;
      for (int32_t k = 0; k < fft_size / 2; ++k) {  // the Nyquist frequency is left out
        const double weight =
            banks.weight(bin, double(config.sample_rate) * double(k) / double(fft_size));
        if (weight == 0) continue;
        if (end == 0) first = k;
        end = k + 1;
        mel_weights.push_back(weight);
      }
      mel_first.push_back(first);
      mel_end.push_back(end);
    }
  }
};

Fbank::Fbank(const FeatureConfig& config) : config_(config) {
  check(config);
  window_samples_ =
      static_cast<int64_t>(double(config.sample_rate) * 0.001 * config.frame_length_ms);
  shift_samples_ = static_cast<int64_t>(double(config.sample_rate) * 0.001 * config.frame_shift_ms);
  if (window_samples_ < 2 || shift_samples_ < 1)
    throw UserError(fmt::format("frames of {} ms every {} ms at {} Hz", config.frame_length_ms,
                                config.frame_shift_ms, config.sample_rate),
                    "choose longer frames");
  before_ = config.snip_edges ? 0 : (window_samples_ - shift_samples_) / 2;
  if (config.padding == EdgePadding::zero) before_ = window_samples_ / 2;
  tables_ = std::make_shared<const Tables>(config, window_samples_);
}

int64_t Fbank::frame_count(int64_t samples) const {
  if (config_.snip_edges)
    return samples < window_samples_ ? 0 : 1 + (samples - window_samples_) / shift_samples_;
  if (config_.padding == EdgePadding::zero) return samples / shift_samples_;
  return (samples + shift_samples_ / 2) / shift_samples_;
}

const float* Fbank::frame(const Part& part, int64_t t, float* copy) const {
  const int64_t start = frame_start(t), end = start + window_samples_;
  const bool over_signal = config_.preemphasis_over == PreemphasisOver::signal;
  if (start >= 0 && end <= part.total && !over_signal) return part.samples + (start - part.first);
  const bool mirror = config_.padding == EdgePadding::mirror;
  const auto sample = [&](int64_t place) {
    if (place >= 0 && place < part.total) return part.samples[place - part.first];
    return mirror ? part.samples[mirrored_place(place, part.total) - part.first] : 0.0F;
  };
  const auto share = static_cast<float>(over_signal ? config_.preemphasis : 0);
  for (int64_t i = 0; i < window_samples_; ++i) {
    const int64_t place = start + i;
    copy[i] = sample(place);
    // No sample precedes the first; zeros past the end stay zeros.
    if (over_signal && (mirror || (place > 0 && place < part.total)))
      copy[i] -= share * sample(place - 1);
  }
  return copy;
}

void Fbank::frames(const Part& part, int64_t first, int64_t count, float* features) const {
  static FbankFrames* const compute_frames = fbank_frames();
  const FbankPlan& plan = tables_->plan;
  const at::Tensor work = at::empty({fbank_work_size(plan)}, at::kDouble);
  std::vector<float> copies(static_cast<size_t>(fbank_lanes * window_samples_));
  const float* frames[fbank_lanes] = {};
  for (int64_t done = 0; done < count; done += fbank_lanes) {
    const int64_t lanes = std::min<int64_t>(fbank_lanes, count - done);
    for (int64_t lane = 0; lane < lanes; ++lane)
      frames[lane] = frame(part, first + done + lane, copies.data() + lane * window_samples_);
    compute_frames(plan, frames, lanes, work.data_ptr<double>(),
                   features + done * config_.columns(), config_.columns());
  }
}

at::Tensor Fbank::compute(const at::Tensor& samples, const std::vector<int64_t>& lengths) const {
  TORCH_CHECK(samples.dim() == 2 && samples.size(0) == int64_t(lengths.size()),
              "samples must be (B, N) with B lengths");
  const at::Tensor rows = samples.to(at::kCPU, at::kFloat).contiguous();
  const int64_t batch = rows.size(0);
  const int64_t longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  const int64_t most = frame_count(longest), columns = config_.columns();
  at::Tensor features = at::full({batch, most, columns}, feature_floor);
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t length = lengths[static_cast<size_t>(b)];
    frames({rows.const_data_ptr<float>() + b * rows.size(1), 0, length, length}, 0,
           frame_count(length), features.data_ptr<float>() + b * most * columns);
  }
  return features.to(samples.device());
}

at::Tensor Fbank::compute(const at::Tensor& samples) const {
  return compute(samples.unsqueeze(0), {samples.size(0)}).squeeze(0);
}

}  // namespace scion
