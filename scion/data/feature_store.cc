#include "scion/data/feature_store.h"

#include <fstream>

#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/core/options.h"
#include "scion/core/progress.h"
#include "scion/data/in_order.h"
#include "scion/data/make_once.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int format_version = 1;

/// The settings that features follow from. Normalisation is the model's work.
Json feature_settings(FeatureConfig config) {
  Options options;
  config.declare(options);
  Json settings = options.to_json();
  settings.erase("normalisation");
  return settings;
}

std::string store_name(const std::vector<Utterance>& utterances, const FeatureConfig& config,
                       double speed) {
  std::string recipe = fmt::format("version {}\n{}\nspeed {}\n", format_version,
                                   feature_settings(config).dump(), speed);
  for (const Utterance& utterance : utterances) {
    std::error_code error;
    const auto size = fs::file_size(utterance.audio, error);
    const auto changed = fs::last_write_time(utterance.audio, error).time_since_epoch().count();
    recipe += fmt::format("{} {} {}\n", fs::absolute(utterance.audio).lexically_normal().string(),
                          error ? 0 : size, error ? 0 : changed);
  }
  return "features-" + checksum(recipe);
}

struct Entry {
  at::Tensor features;  // undefined when there is a reason
  double seconds = 0;
  std::string reason;
};

Entry analyse(const Utterance& utterance, const Fbank& fbank, const FeatureConfig& config,
              double speed) {
  Entry entry;
  try {
    const Audio audio = read_audio(utterance.audio, config.sample_rate);
    entry.seconds = audio.seconds();
    entry.features = speech_features(fbank, audio.samples, speed);
    if (entry.features.size(0) == 0)
      entry.reason = fmt::format("too short for a frame: {} samples", audio.samples.size());
  } catch (const UserError& error) {
    entry.reason = error.what();
  }
  return entry;
}

void make_store(const fs::path& directory, const std::vector<Utterance>& utterances,
                const FeatureConfig& config, double speed, const std::string& title) {
  const Fbank fbank(config);
  std::ofstream rows(directory / "rows.f32", std::ios::binary);
  Json frames = Json::array(), seconds = Json::array(), reasons = Json::object();
  Progress progress(title, static_cast<int64_t>(utterances.size()), "utterances");
  work_in_order<Entry>(
      utterances.size(),
      [&](size_t i) { return analyse(utterances[i], fbank, config, speed); },
      [&](size_t i, const Entry& entry) {
        const bool usable = entry.reason.empty();
        if (usable)
          rows.write(static_cast<const char*>(entry.features.const_data_ptr()),
                     static_cast<std::streamsize>(entry.features.nbytes()));
        frames.push_back(usable ? entry.features.size(0) : 0);
        seconds.push_back(entry.seconds);
        if (!usable) reasons[std::to_string(i)] = entry.reason;
        progress.update(static_cast<int64_t>(i) + 1);
      });
  rows.close();
  if (!rows)
    throw Failure("cannot write features to " + directory.string(),
                  "free some space on that disk, or choose another cache folder");
  const Json index = {{"settings", feature_settings(config)}, {"speed", speed},
                      {"columns", config.columns()},          {"frames", frames},
                      {"seconds", seconds},                   {"reasons", reasons}};
  write_file(directory / "index.json",
             index.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  progress.finish();
}

}  // namespace

at::Tensor speech_features(const Fbank& fbank, const std::vector<float>& samples, double speed) {
  // Played faster, n samples become n / speed.
  std::vector<float> played = resample(samples, speed, 1);
  return fbank.compute(
      at::from_blob(played.data(), {static_cast<int64_t>(played.size())}, at::kFloat));
}

FeatureStore::FeatureStore(const std::vector<Utterance>& utterances, const FeatureConfig& config,
                           double speed, const fs::path& cache_directory, const std::string& title)
    : speed_(speed), columns_(config.columns()) {
  const fs::path directory = cache_directory / store_name(utterances, config, speed);
  make_once(directory, [&](const fs::path& temporary) {
    make_store(temporary, utterances, config, speed, title);
  });
  open(directory, utterances.size());
}

void FeatureStore::open(const fs::path& directory, size_t utterances) {
  const Failure damaged("features in the cache are damaged: " + directory.string(),
                        "remove that folder: it is made again when it is needed");
  rows_ = std::make_shared<const MappedFile>(directory / "rows.f32");
  offsets_ = {0};
  reasons_.resize(utterances);
  try {
    const Json index = Json::parse(read_file(directory / "index.json"));
    for (const int64_t frames : index.at("frames")) offsets_.push_back(offsets_.back() + frames);
    seconds_ = index.at("seconds").get<std::vector<double>>();
    for (const auto& [place, reason] : index.at("reasons").items())
      reasons_.at(std::stoul(place)) = reason;
  } catch (const std::exception&) {
    throw damaged;
  }
  const auto bytes = static_cast<size_t>(offsets_.back() * columns_) * sizeof(float);
  if (offsets_.size() != utterances + 1 || seconds_.size() != utterances ||
      rows_->bytes().size() != bytes)
    throw damaged;
}

at::Tensor FeatureStore::features(size_t i) const {
  const auto* const rows = reinterpret_cast<const float*>(rows_->bytes().data());
  return at::from_blob(const_cast<float*>(rows + offsets_[i] * columns_),
                       {offsets_[i + 1] - offsets_[i], columns_},
                       [keep = rows_](void*) {}, at::kFloat);
}

}  // namespace scion
