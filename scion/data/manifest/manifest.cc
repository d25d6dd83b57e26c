#include "scion/data/manifest/manifest.h"

#include <fstream>
#include <sstream>
#include <unordered_set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/text_lines.h"
#include "scion/core/foreign_text.h"
#include "scion/data/manifest/default_ids.h"
#include "scion/data/manifest/manifest_line.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string place(const fs::path& path, size_t line) {
  return fmt::format("{}:{}", path.string(), line);
}

/// The folder of a file, absolute and without links as far as it exists.
fs::path resolved_folder(const fs::path& file) {
  std::error_code error;
  const fs::path folder = fs::absolute(file.parent_path() / ".", error).lexically_normal();
  const fs::path resolved = fs::weakly_canonical(folder, error);
  return error ? folder : resolved;
}

}  // namespace

std::vector<Utterance> read_manifest(const fs::path& path) {
  const std::string bytes = read_file(path);
  std::istringstream lines{std::string(text_of_bytes(bytes, path))};
  std::vector<Utterance> utterances;
  std::vector<size_t> line_numbers;
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    utterances.push_back(parse_manifest_line(line, path.parent_path(), place(path, number)));
    line_numbers.push_back(number);
  }
  if (utterances.empty())
    throw UserError("manifest has no utterances: " + path.string(), manifest_hint);
  fill_default_ids(utterances);
  std::unordered_map<std::string, size_t> first_lines;
  for (size_t i = 0; i < utterances.size(); ++i) {
    const auto [first, is_new] = first_lines.emplace(utterances[i].id, line_numbers[i]);
    if (!is_new)
      throw UserError(fmt::format("{}: duplicate id '{}' (first used in line {})",
                                  place(path, line_numbers[i]), utterances[i].id, first->second),
                      "give every utterance its own \"id\"");
  }
  return utterances;
}

void write_manifest(const fs::path& path, const std::vector<Utterance>& utterances) {
  const fs::path base = resolved_folder(path);
  std::map<fs::path, fs::path> relative;  // folder of audio → the same, from the manifest
  std::string text;
  for (const Utterance& utterance : utterances) {
    const fs::path folder = utterance.audio.parent_path();
    auto found = relative.find(folder);
    if (found == relative.end())
      found =
          relative.emplace(folder, resolved_folder(utterance.audio).lexically_relative(base)).first;
    nlohmann::ordered_json object;
    object["id"] = utterance.id;
    const std::string audio =
        (found->second / utterance.audio.filename()).lexically_normal().string();
    if (utf8_prefix_length(audio) < audio.size())
      throw UserError(fmt::format("the name {} is not UTF-8", audio), name_hint);
    object["audio_filepath"] = audio;
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
