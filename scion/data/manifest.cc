#include "scion/data/manifest.h"

#include <fstream>
#include <sstream>
#include <unordered_set>

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/file.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr auto manifest_hint =
    "a line of a manifest is {\"audio_filepath\": …, \"duration\": seconds, \"text\": …}";

std::string place(const fs::path& path, size_t line) {
  return fmt::format("{}:{}", path.string(), line);
}

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

Utterance parse_line(const std::string& line, const fs::path& base, const std::string& where) {
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
  const bool segment = object.contains("offset");
  if (segment) {
    utterance.part.begin_seconds = seconds_at(object, "offset", where);
    utterance.part.seconds = utterance.seconds;
    if (utterance.seconds == 0)
      throw UserError(where + ": an \"offset\" with a \"duration\" of 0", manifest_hint);
  }
  if (utterance.id.empty()) {
    utterance.id = audio.stem().string();
    if (segment) utterance.id += fmt::format("-{:.3f}", utterance.part.begin_seconds);
  }
  return utterance;
}

}  // namespace

std::vector<Utterance> read_manifest(const fs::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<Utterance> utterances;
  std::unordered_map<std::string, size_t> first_lines;
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    utterances.push_back(parse_line(line, path.parent_path(), place(path, number)));
    const std::string& id = utterances.back().id;
    const auto [first, is_new] = first_lines.emplace(id, number);
    if (!is_new)
      throw UserError(fmt::format("{}: id '{}' stands in line {} already", place(path, number), id,
                                  first->second),
                      "give every utterance an \"id\" of its own");
  }
  if (utterances.empty())
    throw UserError("manifest has no utterances: " + path.string(), manifest_hint);
  return utterances;
}

void write_manifest(const fs::path& path, const std::vector<Utterance>& utterances) {
  const fs::path base = fs::weakly_canonical(fs::absolute(path).parent_path());
  std::map<fs::path, fs::path> relative;  // folder of audio → the same, from the manifest
  std::string text;
  for (const Utterance& utterance : utterances) {
    const fs::path folder = utterance.audio.parent_path();
    auto found = relative.find(folder);
    if (found == relative.end())
      found =
          relative
              .emplace(folder, fs::weakly_canonical(fs::absolute(folder)).lexically_relative(base))
              .first;
    nlohmann::ordered_json object;
    object["id"] = utterance.id;
    object["audio_filepath"] =
        (found->second / utterance.audio.filename()).lexically_normal().string();
    if (utterance.part.is_segment()) object["offset"] = utterance.part.begin_seconds;
    object["duration"] = std::round(utterance.seconds * 1e6) / 1e6;
    if (utterance.part.channel >= 0) object["channel"] = utterance.part.channel;
    object["text"] = utterance.text;
    if (!utterance.speaker.empty()) object["speaker"] = utterance.speaker;
    text += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  write_file(path, text);
}

}  // namespace scion
