#include "scion/study/conditions/corruption.h"

#include "scion/audio/audio_file.h"
#include "scion/audio/augmentation/mixing.h"
#include "scion/audio/augmentation/value_range.h"
#include "scion/core/options.h"
#include "scion/core/random.h"

namespace scion {
namespace {

// Computed in float64, so that differences between the FFTs of processors vanish when rounding to
// 16 bits.

at::Tensor to_tensor(const std::vector<float>& samples) {
  return at::tensor(at::ArrayRef<float>(samples)).to(at::kDouble);
}

at::Tensor gaussian(int64_t count, Random& random) {
  at::Tensor noise = at::empty({count}, at::kDouble);
  auto* const values = noise.data_ptr<double>();
  for (int64_t i = 0; i < count; ++i) values[i] = random.normal();
  return noise;
}

/// The direct sound at index 0, followed by noise with an exponential envelope that falls by 60 dB
/// in `seconds`.
at::Tensor room_response(double seconds, double direct_to_reverberant_db, int64_t sample_rate,
                         Random& random) {
  const auto taps = static_cast<int64_t>(seconds * double(sample_rate));
  if (taps < 2) return at::ones({1}, at::kDouble);
  at::Tensor response = gaussian(taps, random);
  const double decay = std::log(1000.0) / double(taps);  // 60 dB: a factor of 1000
  response *= at::exp(at::arange(taps, at::kDouble) * -decay);
  response[0] = 0;
  const double wanted = std::pow(10, -direct_to_reverberant_db / 10);
  response *= std::sqrt(wanted / response.square().sum().item<double>());
  response[0] = 1;
  return response;
}

/// Noise whose power falls by 3 dB per octave above 50 Hz.
at::Tensor pink_noise(int64_t count, int64_t sample_rate, Random& random) {
  const int64_t size = power_of_two_from(std::max<int64_t>(count, 2));
  const at::Tensor hertz =
      at::arange(size / 2 + 1, at::kDouble) * (double(sample_rate) / double(size));
  const at::Tensor shape =
      at::where(hertz.lt(50), at::zeros_like(hertz), hertz.clamp_min(1).rsqrt());
  return at::fft_irfft(at::fft_rfft(gaussian(size, random)) * shape, size).narrow(0, 0, count);
}

/// Sum of other speakers at equal power, each from a random offset.
at::Tensor babble(const std::vector<std::vector<float>>& others, int64_t count, Random& random) {
  at::Tensor sum = at::zeros({count}, at::kDouble);
  for (const std::vector<float>& other : others) {
    if (other.empty()) continue;
    const at::Tensor voice = to_tensor(other);
    const double power = mean_power(voice);
    const int64_t start = random.below(voice.size(0));
    if (power == 0) continue;
    sum += repeated(voice, start, count) / std::sqrt(power);
  }
  return sum;
}

void check(const CorruptionConfig& c) {
  check_bounds("noise_snr_db", c.noise_snr_low_db, c.noise_snr_high_db);
  check_bounds("babble_snr_db", c.babble_snr_low_db, c.babble_snr_high_db);
  check_bounds("reverberation_seconds", c.reverberation_seconds_low, c.reverberation_seconds_high);
  check_bounds("direct_to_reverberant_db", c.direct_to_reverberant_low_db,
               c.direct_to_reverberant_high_db);
  check_bounds("speed", c.speed_low, c.speed_high);
}

}  // namespace

void CorruptionConfig::declare(Options& options) {
  add_bounds(options, {"noise_snr", "speech relative to pink noise", -50, 100, "dB"},
             noise_snr_low_db, noise_snr_high_db);
  add_bounds(options, {"babble_snr", "speech relative to babble", -50, 100, "dB"},
             babble_snr_low_db, babble_snr_high_db);
  options.add("babble_speakers", babble_speakers, "number of speakers in the babble").range(0, 100);
  add_bounds(
      options,
      {"reverberation_seconds", "time in which the reverberation decays by 60 dB", 0, 10, "s"},
      reverberation_seconds_low, reverberation_seconds_high);
  add_bounds(options,
             {"direct_to_reverberant", "direct sound relative to reflections", -50, 100, "dB"},
             direct_to_reverberant_low_db, direct_to_reverberant_high_db);
  add_bounds(options, {"speed", "speed factor", 0.5, 2, ""}, speed_low, speed_high);
  options.add("seed", seed, "seed of the condition").range(0, 1e15);
}

std::vector<float> corrupt(const std::vector<float>& samples, int64_t sample_rate,
                           const std::vector<std::vector<float>>& others,
                           const CorruptionConfig& config, uint64_t utterance) {
  check(config);
  if (samples.empty()) return {};
  // A separate sequence per effect: turning one off does not change the others.
  const auto sequence = [&](uint64_t a) {
    return Random(static_cast<uint64_t>(config.seed), RandomStream::corruption, a, utterance);
  };
  Random speed_draw = sequence(1), room_draw = sequence(2), babble_draw = sequence(3),
         noise_draw = sequence(4);
  at::Tensor signal =
      to_tensor(resample(samples, speed_draw.uniform(config.speed_low, config.speed_high), 1));
  const double seconds =
      room_draw.uniform(config.reverberation_seconds_low, config.reverberation_seconds_high);
  const double direct =
      room_draw.uniform(config.direct_to_reverberant_low_db, config.direct_to_reverberant_high_db);
  signal = convolve(signal, room_response(seconds, direct, sample_rate, room_draw));
  const double power = mean_power(signal);
  const double babble_snr =
      babble_draw.uniform(config.babble_snr_low_db, config.babble_snr_high_db);
  add_at_snr(signal, babble(others, signal.size(0), babble_draw), power, babble_snr);
  const double noise_snr = noise_draw.uniform(config.noise_snr_low_db, config.noise_snr_high_db);
  add_at_snr(signal, pink_noise(signal.size(0), sample_rate, noise_draw), power, noise_snr);
  const double peak = signal.abs().max().item<double>();
  if (peak > 1) signal /= peak;
  const at::Tensor out = signal.to(at::kFloat).contiguous();
  return {out.const_data_ptr<float>(), out.const_data_ptr<float>() + out.numel()};
}

}  // namespace scion
