#include "scion/data/manifest.h"

#include <fstream>
#include <sstream>
#include <unordered_set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/manifest_line.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string place(const fs::path& path, size_t line) {
  return fmt::format("{}:{}", path.string(), line);
}

}  // namespace

std::vector<Utterance> read_manifest(const fs::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<Utterance> utterances;
  std::unordered_map<std::string, size_t> first_lines;
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    utterances.push_back(parse_manifest_line(line, path.parent_path(), place(path, number)));
    const std::string& id = utterances.back().id;
    const auto [first, is_new] = first_lines.emplace(id, number);
    if (!is_new)
      throw UserError(fmt::format("{}: duplicate id '{}' (first used in line {})",
                                  place(path, number), id, first->second),
                      "give every utterance its own \"id\"");
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
