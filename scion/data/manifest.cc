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
  if (utterance.id.empty()) utterance.id = audio.stem().string();
  const auto duration = object.find("duration");
  if (duration == object.end()) throw UserError(where + ": no \"duration\"", manifest_hint);
  if (!duration->is_number() || !(duration->get<double>() >= 0))
    throw UserError(fmt::format("{}: \"duration\" is {}", where, duration->dump()), manifest_hint);
  utterance.seconds = duration->get<double>();
  return utterance;
}

/// The transcript files of a LibriSpeech tree, sorted.
std::vector<fs::path> transcript_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::recursive_directory_iterator(directory, fs::directory_options::follow_directory_symlink))
    if (entry.path().filename().string().ends_with(".trans.txt")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

fs::path find_audio(const fs::path& folder, const std::string& id) {
  for (const char* extension : {".flac", ".opus", ".wav"}) {
    fs::path candidate = folder / (id + extension);
    if (fs::exists(candidate)) return candidate;
  }
  return folder / (id + ".flac");  // missing: the data set says so when it reads it
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
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
    object["duration"] = std::round(utterance.seconds * 1e6) / 1e6;
    object["text"] = utterance.text;
    if (!utterance.speaker.empty()) object["speaker"] = utterance.speaker;
    text += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  write_file(path, text);
}

std::vector<Utterance> read_librispeech(const fs::path& directory) {
  if (!fs::is_directory(directory))
    throw UserError("no such folder: " + directory.string(), "name the root of a LibriSpeech tree");
  std::vector<Utterance> utterances;
  for (const fs::path& transcript : transcript_files(directory)) {
    std::istringstream lines(read_file(transcript));
    std::string line;
    for (size_t number = 1; std::getline(lines, line); ++number) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      const size_t space = line.find(' ');
      Utterance utterance;
      utterance.id = line.substr(0, space);
      if (space != std::string::npos) utterance.text = lower_case(line.substr(space + 1));
      utterance.text.erase(utterance.text.find_last_not_of(" \t\r") + 1);
      utterance.speaker = utterance.id.substr(0, utterance.id.find('-'));
      utterance.audio = find_audio(transcript.parent_path(), utterance.id);
      utterances.push_back(std::move(utterance));
    }
  }
  if (utterances.empty())
    throw UserError("no transcript (*.trans.txt) under " + directory.string(),
                    "name the root of a LibriSpeech tree: speaker/chapter/*.trans.txt");
  std::sort(utterances.begin(), utterances.end(),
            [](const Utterance& a, const Utterance& b) { return a.id < b.id; });
  for (size_t i = 1; i < utterances.size(); ++i)
    if (utterances[i].id == utterances[i - 1].id)
      throw UserError(fmt::format("utterance '{}' stands in two transcripts under {}",
                                  utterances[i].id, directory.string()),
                      "name a folder that holds it once");
  return utterances;
}

}  // namespace scion
