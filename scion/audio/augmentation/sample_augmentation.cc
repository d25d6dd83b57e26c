#include "scion/audio/augmentation/sample_augmentation.h"

#include <ATen/Functions.h>

#include "scion/audio/audio_file.h"
#include "scion/audio/augmentation/mixing.h"
#include "scion/audio/augmentation/room.h"
#include "scion/core/error.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

bool is_audio(const fs::path& path) {
  static const std::vector<std::string> extensions = {".wav", ".flac", ".ogg", ".opus", ".mp3"};
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

at::Tensor as_tensor(const std::vector<float>& samples) {
  return at::tensor(at::ArrayRef<float>(samples));
}

/// From the direct sound on: the loudest sample.
at::Tensor from_direct_sound(const at::Tensor& response) {
  const int64_t start = response.abs().argmax().item<int64_t>();
  return response.narrow(0, start, response.size(0) - start);
}

at::Tensor reverberated(const at::Tensor& signal, const at::Tensor& response) {
  const double before = mean_power(signal);
  const at::Tensor wet = convolve(signal, response);
  const double after = mean_power(wet);
  return after > 0 ? wet * std::sqrt(before / after) : signal;
}

}  // namespace

struct SampleAugmentation::SimulatedRoom {
  std::once_flag once;
  at::Tensor response;
};

std::vector<SampleAugmentation::Recording> SampleAugmentation::list(const std::string& option,
                                                                    const std::string& folder) {
  std::vector<Recording> recordings;
  if (folder.empty()) return recordings;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    if (at->is_regular_file() && is_audio(at->path()))
      recordings.push_back({at->path(), audio_seconds(at->path())});
  if (error)
    throw UserError(fmt::format("augment.{}: cannot list {}: {}", option, folder, error.message()),
                    "name a folder of recordings");
  if (recordings.empty())
    throw UserError(fmt::format("augment.{}: no audio in {}", option, folder),
                    "name a folder of .wav, .flac, .ogg, .opus or .mp3 files");
  std::sort(recordings.begin(), recordings.end(),
            [](const Recording& a, const Recording& b) { return a.path < b.path; });
  return recordings;
}

SampleAugmentation::SampleAugmentation(const AugmentConfig& config, int64_t sample_rate,
                                       uint64_t seed)
    : config_(config),
      sample_rate_(sample_rate),
      seed_(seed),
      responses_(config.reverberation_share > 0 ? list("responses", config.responses)
                                                : std::vector<Recording>{}),
      noises_(config.noise_share > 0 ? list("noise", config.noise) : std::vector<Recording>{}),
      noise_share_(noises_.empty() ? 0 : config.noise_share) {
  config.validate();
  if (config.reverberation_share > 0 && responses_.empty())
    rooms_ = std::make_unique<SimulatedRoom[]>(size_t(config.rooms));
}

SampleAugmentation::~SampleAugmentation() = default;

std::optional<Random> SampleAugmentation::draw(RandomStream stream, double share, int64_t epoch,
                                               uint64_t utterance) const {
  Random random(seed_, stream, static_cast<uint64_t>(epoch), utterance);
  if (random.uniform() < share) return random;
  return std::nullopt;
}

bool SampleAugmentation::changes(int64_t epoch, uint64_t utterance) const {
  return draw(RandomStream::reverberation, config_.reverberation_share, epoch, utterance) ||
         draw(RandomStream::noise, noise_share_, epoch, utterance) ||
         draw(RandomStream::volume, config_.volume_share, epoch, utterance);
}

at::Tensor SampleAugmentation::response(Random& random) const {
  if (!responses_.empty()) {
    const Recording& drawn = responses_[size_t(random.below(int64_t(responses_.size())))];
    return from_direct_sound(
        as_tensor(read_audio(drawn.path, sample_rate_, {.channel = 0}).samples));
  }
  const int64_t number = random.below(config_.rooms);
  SimulatedRoom& room = rooms_[size_t(number)];
  std::call_once(room.once, [&] {
    Random draw(seed_, RandomStream::rooms, uint64_t(number));
    const double seconds =
        draw.uniform(config_.reverberation_seconds_low, config_.reverberation_seconds_high);
    room.response = as_tensor(room_response(draw_room(draw, seconds), sample_rate_));
  });
  return room.response;
}

at::Tensor SampleAugmentation::noise(Random& random, int64_t count) const {
  const Recording& drawn = noises_[size_t(random.below(int64_t(noises_.size())))];
  const double wanted = double(count) / double(sample_rate_);
  const double place = random.uniform();
  AudioPart part;
  if (drawn.seconds > wanted) part = {place * (drawn.seconds - wanted), wanted};
  const at::Tensor sound = as_tensor(read_audio(drawn.path, sample_rate_, part).samples);
  return repeated(sound, part.is_segment() ? 0 : int64_t(place * double(sound.size(0))), count);
}

void SampleAugmentation::apply(std::vector<float>& samples, int64_t epoch,
                               uint64_t utterance) const {
  const auto count = static_cast<int64_t>(samples.size());
  if (count == 0) return;
  at::Tensor signal = as_tensor(samples);
  if (auto random =
          draw(RandomStream::reverberation, config_.reverberation_share, epoch, utterance))
    signal = reverberated(signal, response(*random));
  if (auto random = draw(RandomStream::noise, noise_share_, epoch, utterance)) {
    const double snr = random->uniform(config_.noise_snr_low_db, config_.noise_snr_high_db);
    add_at_snr(signal, noise(*random, count), mean_power(signal), snr);
  }
  if (auto random = draw(RandomStream::volume, config_.volume_share, epoch, utterance))
    signal *= std::pow(10, random->uniform(config_.volume_low_db, config_.volume_high_db) / 20);
  const at::Tensor out = signal.contiguous();
  std::copy_n(out.const_data_ptr<float>(), count, samples.data());
}

}  // namespace scion
