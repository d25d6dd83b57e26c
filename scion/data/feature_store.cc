#include "scion/data/feature_store.h"

#include <fstream>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/make_once.h"
#include "scion/core/options.h"
#include "scion/core/parallel_in_order.h"
#include "scion/core/progress.h"
#include "scion/data/usable.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int store_version = 3;

/// The settings that features depend on. Normalisation is done by the model.
Json feature_settings(const FeatureConfig& config) {
  Json settings = options_json(config);
  settings.erase("normalisation");
  return settings;
}

std::string store_name(const std::vector<Utterance>& utterances, const FeatureConfig& config,
                       const std::vector<double>& speeds) {
  std::string recipe = fmt::format("version {}\n{}\nspeeds {}\n", store_version,
                                   feature_settings(config).dump(), fmt::join(speeds, " "));
  for (const Utterance& utterance : utterances) {
    std::error_code error;
    const auto size = fs::file_size(utterance.audio, error);
    const auto changed = fs::last_write_time(utterance.audio, error).time_since_epoch().count();
    recipe += fmt::format("{} {} {}\n", fs::absolute(utterance.audio).lexically_normal().string(),
                          error ? 0 : size, error ? 0 : changed);
    if (utterance.part != AudioPart{})
      recipe += fmt::format("part {} {} {}\n", utterance.part.begin_seconds, utterance.part.seconds,
                            utterance.part.channel);
  }
  return "features-" + checksum(recipe);
}

std::string rows_name(double speed) { return fmt::format("speed-{}.f32", speed); }

struct Entry {
  std::vector<at::Tensor> features;  // one a speed; none when there is a reason
  double seconds = 0;
  std::string reason;
};

/// Decoding costs more than the features of all speeds, so it is done once.
Entry analyse(const Utterance& utterance, const Fbank& fbank, const FeatureConfig& config,
              const std::vector<double>& speeds) {
  const UsableAudio usable =
      read_usable_audio(utterance, config.sample_rate, shortest_samples(fbank, speeds));
  Entry entry{{}, usable.audio.seconds(), usable.reason};
  if (entry.reason.empty())
    for (const double speed : speeds)
      entry.features.push_back(speech_features(fbank, usable.audio.samples, speed));
  return entry;
}

/// The files of a new store.
class StoreWriter {
 public:
  StoreWriter(const fs::path& directory, const FeatureConfig& config,
              const std::vector<double>& speeds)
      : directory_(directory), frames_(speeds.size(), Json::array()) {
    for (const double speed : speeds)
      rows_.emplace_back(directory / rows_name(speed), std::ios::binary);
    index_ = {{"settings", feature_settings(config)},
              {"columns", config.columns()},
              {"speeds", speeds},
              {"seconds", Json::array()},
              {"reasons", Json::object()}};
  }

  void add(size_t i, const Entry& entry) {
    for (size_t s = 0; s < rows_.size(); ++s) {
      if (entry.reason.empty())
        rows_[s].write(static_cast<const char*>(entry.features[s].const_data_ptr()),
                       static_cast<std::streamsize>(entry.features[s].nbytes()));
      frames_[s].push_back(entry.reason.empty() ? entry.features[s].size(0) : 0);
    }
    index_["seconds"].push_back(entry.seconds);
    if (!entry.reason.empty()) index_["reasons"][std::to_string(i)] = entry.reason;
  }

  void finish() {
    for (std::ofstream& rows : rows_) {
      rows.close();
      if (!rows)
        throw Failure("cannot write features to " + directory_.string(),
                      "free some space on that disk, or choose another cache folder");
    }
    index_["frames"] = frames_;
    write_file(directory_ / "index.json",
               index_.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

 private:
  fs::path directory_;
  std::vector<std::ofstream> rows_;
  std::vector<Json> frames_;
  Json index_;
};

void make_store(const fs::path& directory, const std::vector<Utterance>& utterances,
                const FeatureConfig& config, const std::vector<double>& speeds,
                const std::string& title) {
  const Fbank fbank(config);
  StoreWriter writer(directory, config, speeds);
  Progress progress(title, static_cast<int64_t>(utterances.size()), "utterances");
  work_in_order<Entry>(
      utterances.size(), [&](size_t i) { return analyse(utterances[i], fbank, config, speeds); },
      [&](size_t i, const Entry& entry) {
        writer.add(i, entry);
        progress.update(static_cast<int64_t>(i) + 1);
      });
  writer.finish();
  progress.finish();
}

/// Where each utterance's rows begin, and where the last ones end.
std::vector<int64_t> running_sums(const std::vector<int64_t>& frames) {
  std::vector<int64_t> offsets = {0};
  for (const int64_t count : frames) offsets.push_back(offsets.back() + count);
  return offsets;
}

}  // namespace

FeatureStore::FeatureStore(const std::vector<Utterance>& utterances, const FeatureConfig& config,
                           const std::vector<double>& speeds, const fs::path& cache_directory,
                           const std::string& title)
    : columns_(config.columns()) {
  const fs::path directory = cache_directory / store_name(utterances, config, speeds);
  make_once(directory, [&](const fs::path& temporary) {
    make_store(temporary, utterances, config, speeds, title);
  });
  open(directory, utterances.size(), speeds);
}

void FeatureStore::open(const fs::path& directory, size_t utterances,
                        const std::vector<double>& speeds) {
  const auto demand = [&](bool condition) {
    if (!condition)
      throw Failure("features in the cache are damaged: " + directory.string(),
                    "remove that folder; it is made again when it is needed");
  };
  reasons_.resize(utterances);
  std::vector<std::vector<int64_t>> frames;
  try {
    const Json index = Json::parse(read_file(directory / "index.json"));
    index.at("frames").get_to(frames);
    index.at("seconds").get_to(seconds_);
    for (const auto& [place, reason] : index.at("reasons").items())
      reasons_.at(std::stoul(place)) = reason;
  } catch (const std::exception&) {
    demand(false);
  }
  demand(frames.size() == speeds.size() && seconds_.size() == utterances);
  for (size_t s = 0; s < speeds.size(); ++s) {
    const fs::path path = directory / rows_name(speeds[s]);
    demand(frames[s].size() == utterances && fs::exists(path));
    rows_.push_back({speeds[s], std::make_shared<const MappedFile>(path), running_sums(frames[s])});
    demand(rows_.back().file->bytes().size() ==
           static_cast<size_t>(rows_.back().offsets.back() * columns_) * sizeof(float));
  }
}

const FeatureStore::Rows* FeatureStore::find(double speed) const {
  for (const Rows& rows : rows_)
    if (rows.speed == speed) return &rows;
  return nullptr;
}

at::Tensor FeatureStore::features(size_t i, double speed) const {
  const Rows* const rows = find(speed);
  TORCH_CHECK(rows != nullptr, "no features at speed ", speed);
  const auto* const first = reinterpret_cast<const float*>(rows->file->bytes().data());
  return at::from_blob(
      const_cast<float*>(first + rows->offsets[i] * columns_),
      {rows->offsets[i + 1] - rows->offsets[i], columns_}, [keep = rows->file](void*) {},
      at::kFloat);
}

}  // namespace scion
