#include "scion/data/manifest/manifest_line.h"

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/options.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// The value of a key; nullptr when it is missing or null.
const Json* value_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// A string, or a number as it is written; "" when there is none.
std::string text_at(const Json& object, const char* key, const std::string& where) {
  const Json* value = value_at(object, key);
  if (value == nullptr) return "";
  if (value->is_number()) return value->dump();
  if (!value->is_string())
    throw UserError(fmt::format("{}: \"{}\" is not a string", where, key), manifest_hint);
  return value->get<std::string>();
}

fs::path audio_at(const Json& object, const std::string& where) {
  constexpr auto key = "audio_filepath";
  if (value_at(object, key) == nullptr) {
    std::vector<std::string> keys;
    for (const auto& [other, value] : object.items()) keys.push_back(other);
    const std::string near = nearest_name(key, keys);
    throw UserError(fmt::format("{}: no \"{}\"", where, key),
                    near.empty() || near == key
                        ? std::string(manifest_hint)
                        : fmt::format("rename \"{}\": {}", near, manifest_hint));
  }
  if (!object.at(key).is_string())
    throw UserError(fmt::format("{}: \"{}\" is not a string", where, key), manifest_hint);
  const fs::path audio = object.at(key).get<std::string>();
  if (audio.empty()) throw UserError(where + ": \"audio_filepath\" is empty", manifest_hint);
  return audio;
}

std::optional<double> seconds_at(const Json& object, const char* key, const std::string& where) {
  const Json* value = value_at(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || !(value->get<double>() >= 0))
    throw UserError(fmt::format("{}: \"{}\" is {}", where, key, value->dump()), manifest_hint);
  return value->get<double>();
}

/// A number from 0, or "mix" (NeMo: "average"), the average of all (as without it).
int64_t channel_at(const Json& object, const char* key, const std::string& where) {
  const Json* value = value_at(object, key);
  if (value == nullptr || *value == "mix" || *value == "average") return -1;
  if (!value->is_number_unsigned() || value->get<uint64_t>() > 1023)
    throw UserError(fmt::format("{}: \"{}\" is {}", where, key, value->dump()),
                    "channels count from 0; \"mix\" is the average of all");
  return value->get<int64_t>();
}

Json parse_object(std::string_view line, const std::string& where) {
  try {
    return parse_json_object(line, where);
  } catch (const UserError& error) {
    throw UserError(error.what(), fmt::format("{}; {}", error.hint(), manifest_hint));
  }
}

void refuse_unread_keys(const Json& object, const std::string& where) {
  for (const auto& [key, value] : object.items())
    if (is_unread_part_key(key) && !value.is_null())
      throw UserError(fmt::format("{}: \"{}\" is not read", where, key),
                      "\"offset\", \"duration\" and \"channel\" say which part of a file is meant");
}

}  // namespace

bool is_unread_part_key(std::string_view key) {
  constexpr std::array names = {"start",      "begin",    "end",          "stop",
                                "start_time", "end_time", "frame_offset", "num_frames",
                                "channels",   "speed",    "tempo",        "transforms"};
  return std::find(names.begin(), names.end(), key) != names.end();
}

Utterance parse_manifest_line(std::string_view line, const fs::path& base, const std::string& where,
                              Durations durations) {
  const Json object = parse_object(line, where);
  refuse_unread_keys(object, where);
  Utterance utterance;
  utterance.audio = base / audio_at(object, where);
  if (!object.contains("text")) throw UserError(where + ": no \"text\"", manifest_hint);
  utterance.text = text_at(object, "text", where);
  utterance.speaker = text_at(object, "speaker", where);
  utterance.id = text_at(object, "id", where);
  const std::optional<double> seconds = seconds_at(object, "duration", where);
  if (!seconds && durations == Durations::given)
    throw UserError(where + ": no \"duration\"",
                    fmt::format("{}; scion prepare measures it", manifest_hint));
  utterance.seconds = seconds.value_or(0);
  utterance.part.channel = channel_at(object, "channel", where);
  if (utterance.part.channel < 0)
    utterance.part.channel = channel_at(object, "channel_selector", where);
  if (const std::optional<double> offset = seconds_at(object, "offset", where)) {
    utterance.part.begin_seconds = *offset;
    utterance.part.seconds = utterance.seconds;
    if (seconds && *seconds == 0)
      throw UserError(where + ": an \"offset\" with a \"duration\" of 0", manifest_hint);
  }
  return utterance;
}

}  // namespace scion
