#include "scion/audio/augmentation/sample_augmentation.h"

#include <ATen/Functions.h>

#include "scion/audio/audio_file.h"
#include "scion/audio/augmentation/mixing.h"
#include "scion/audio/augmentation/room.h"
#include "scion/core/error.h"
#include "scion/core/log.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

bool is_audio(const fs::path& path) {
  static const std::vector<std::string> extensions = {".wav", ".flac", ".ogg", ".opus", ".mp3"};
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

constexpr size_t most_named = 3;  // of the files that are left out

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

/// Audio files in the folder and those below, in order, without hidden ones such as the "._x.wav"
/// that a Mac leaves.
std::vector<fs::path> audio_in(const std::string& option, const std::string& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const bool hidden = is_hidden(at->path());
    if (hidden) at.disable_recursion_pending();
    if (!hidden && is_audio(at->path()) && at->is_regular_file()) paths.push_back(at->path());
  }
  if (error)
    throw UserError(fmt::format("augment.{}: cannot list {}: {}", option, folder, error.message()),
                    "name a folder of recordings");
  std::sort(paths.begin(), paths.end());
  return paths;
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
  std::vector<std::string> unreadable;
  for (const fs::path& path : audio_in(option, folder)) {
    try {
      recordings.push_back({path, audio_seconds(path)});
    } catch (const UserError& error) {
      unreadable.emplace_back(error.what());
    }
  }
  if (recordings.empty())
    throw UserError(fmt::format("augment.{}: no audio in {}{}{}", option, folder,
                                unreadable.empty() ? "" : " can be read, for example: ",
                                unreadable.empty() ? "" : unreadable[0]),
                    "name a folder of .wav, .flac, .ogg, .opus or .mp3 files");
  for (size_t i = 0; i < std::min(unreadable.size(), most_named); ++i)
    log_warning("augment.{}: left out: {}", option, unreadable[i]);
  if (!unreadable.empty())
    log_warning("augment.{}: {} of {} files in {} are left out", option, unreadable.size(),
                unreadable.size() + recordings.size(), folder);
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

at::Tensor SampleAugmentation::read_drawn(
    const std::vector<Recording>& recordings, Random& random,
    const std::function<Audio(const Recording&)>& read) const {
  const size_t count = recordings.size(), first = size_t(random.below(int64_t(count)));
  for (size_t i = 0;; ++i) {
    const Recording& drawn = recordings[(first + i) % count];
    try {
      return as_tensor(read(drawn).samples);
    } catch (const UserError& error) {
      if (i + 1 == count) throw;
      const std::lock_guard lock(unreadable_mutex_);
      if (unreadable_.insert(drawn.path).second)
        log_warning("augment: the next file takes the place of one: {}", error.what());
    }
  }
}

at::Tensor SampleAugmentation::response(Random& random) const {
  if (!responses_.empty()) {
    return from_direct_sound(read_drawn(responses_, random, [&](const Recording& drawn) {
      return read_audio(drawn.path, sample_rate_, {.channel = 0});
    }));
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
  const double wanted = double(count) / double(sample_rate_);
  double place = 0;
  bool is_long = false;
  const at::Tensor sound = read_drawn(noises_, random, [&](const Recording& drawn) {
    if (place == 0) place = random.uniform();
    is_long = drawn.seconds > wanted;
    AudioPart part;
    if (is_long) part = {place * (drawn.seconds - wanted), wanted};
    return read_audio(drawn.path, sample_rate_, part);
  });
  return repeated(sound, is_long ? 0 : int64_t(place * double(sound.size(0))), count);
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
