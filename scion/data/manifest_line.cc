#include "scion/data/manifest_line.h"

#include "scion/core/error.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string string_at(const Json& object, const char* key, bool required,
                      const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) {
    if (required) throw UserError(fmt::format("{}: no \"{}\"", where, key), manifest_hint);
    return "";
  }
  if (!found->is_string())
    throw UserError(fmt::format("{}: \"{}\" is not a string", where, key), manifest_hint);
  return found->get<std::string>();
}

double seconds_at(const Json& object, const char* key, const std::string& where) {
  const Json& value = object.at(key);
  if (!value.is_number() || !(value.get<double>() >= 0))
    throw UserError(fmt::format("{}: \"{}\" is {}", where, key, value.dump()), manifest_hint);
  return value.get<double>();
}

/// "channel": a number from 0, or "mix", the average of all (as without it).
int64_t channel_at(const Json& object, const std::string& where) {
  const auto found = object.find("channel");
  if (found == object.end() || *found == "mix") return -1;
  if (!found->is_number_unsigned() || found->get<uint64_t>() > 1023)
    throw UserError(fmt::format("{}: \"channel\" is {}", where, found->dump()),
                    "channels count from 0; \"mix\" is the average of all");
  return found->get<int64_t>();
}

}  // namespace

Utterance parse_manifest_line(std::string_view line, const fs::path& base,
                              const std::string& where) {
  Json object;
  try {
    object = Json::parse(line);
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("{}: broken JSON: {}", where, error.what()), manifest_hint);
  }
  if (!object.is_object()) throw UserError(where + ": not a JSON object", manifest_hint);
  Utterance utterance;
  const fs::path audio = string_at(object, "audio_filepath", true, where);
  if (audio.empty()) throw UserError(where + ": \"audio_filepath\" is empty", manifest_hint);
  utterance.audio = base / audio;
  utterance.text = string_at(object, "text", true, where);
  utterance.speaker = string_at(object, "speaker", false, where);
  utterance.id = string_at(object, "id", false, where);
  if (!object.contains("duration")) throw UserError(where + ": no \"duration\"", manifest_hint);
  utterance.seconds = seconds_at(object, "duration", where);
  utterance.part.channel = channel_at(object, where);
  if (object.contains("offset")) {
    utterance.part.begin_seconds = seconds_at(object, "offset", where);
    utterance.part.seconds = utterance.seconds;
    if (utterance.seconds == 0)
      throw UserError(where + ": an \"offset\" with a \"duration\" of 0", manifest_hint);
  }
  if (utterance.id.empty()) utterance.id = default_id(audio, utterance.part);
  return utterance;
}

std::string default_id(const fs::path& audio, const AudioPart& part) {
  std::string id = audio.stem().string();
  if (part.is_segment()) id += fmt::format("-{:.3f}", part.begin_seconds);
  return id;
}

}  // namespace scion
