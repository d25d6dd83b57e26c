#include "scion/data/corpora/readers/lhotse_recording.h"

#include <nlohmann/json.hpp>

#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using RecordingJson = nlohmann::json;

void take_source(LhotseRecording& recording, const RecordingJson& source, const fs::path& folder) {
  const auto type = source.at("type").get<std::string>();
  if (type != "file") {
    recording.fault = fmt::format("its audio comes from a {}, not a file", type);
    recording.hint = "write the audio to files: lhotse's save_audios";
    return;
  }
  recording.sources.push_back({find_beside(source.at("source").get<std::string>(), folder),
                               source.at("channels").get<std::vector<int64_t>>()});
}

/// Lhotse writes {"name": "Speed", "kwargs": {"factor": 1.1}}.
std::string transform_name(const RecordingJson& transform) {
  for (const char* key : {"name", "type", "_target_"})
    if (transform.is_object() && transform.contains(key) && transform[key].is_string()) {
      const auto name = transform[key].get<std::string>();
      return name.substr(name.rfind('.') + 1);
    }
  return transform.is_string() ? transform.get<std::string>() : "without a name";
}

double transform_factor(const RecordingJson& transform) {
  const RecordingJson& place = transform.contains("kwargs") ? transform["kwargs"] : transform;
  return place.at("factor").get<double>();
}

/// What changes time is undone, what changes volume or sampling rate does not matter, and of all
/// else the audio would be another than what the cut describes.
void take_transform(LhotseRecording& recording, const RecordingJson& transform) {
  const std::string name = transform_name(transform);
  if (name == "Speed" || name == "Tempo") {
    const double factor = transform_factor(transform);
    if (factor > 0 && std::isfinite(factor)) {
      recording.time_scale *= factor;
      return;
    }
  } else if (name == "Volume" || name == "LoudnessNormalization") {
    recording.has_gain = true;
    return;
  } else if (name == "Resample") {
    return;
  }
  recording.fault = fmt::format("the transform {} is not read", name);
  recording.hint =
      "give the cuts as they were before the transform, or write the audio: lhotse's save_audios";
}

}  // namespace

LhotseRecording read_lhotse_recording(const RecordingJson& object, const fs::path& folder) {
  LhotseRecording recording;
  for (const RecordingJson& source : object.at("sources")) take_source(recording, source, folder);
  if (recording.sources.empty() && recording.fault.empty()) recording.fault = "it has no source";
  const auto transforms = object.find("transforms");
  if (transforms != object.end() && !transforms->is_null())
    for (const RecordingJson& transform : *transforms) take_transform(recording, transform);
  recording.seconds = object.at("duration").get<double>() * recording.time_scale;
  return recording;
}

}  // namespace scion
