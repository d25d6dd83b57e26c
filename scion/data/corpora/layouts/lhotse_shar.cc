#include <fstream>
#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/layouts/archives.h"
#include "scion/data/corpora/layouts/unpacked_audio.h"
#include "scion/data/corpora/readers/audio_finder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using SharJson = nlohmann::json;

bool is_shar_cuts(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with("cuts") && (name.ends_with(".jsonl") || name.ends_with(".jsonl.gz"));
}

bool is_shar_audio(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with("recording") && (name.ends_with(".tar") || name.ends_with(".tar.gz"));
}

/// The audio by cut: an archive names it by the cut's id.
std::unordered_map<std::string, fs::path> unpack_all(const fs::path& folder, UnpackedAudio& audio,
                                                     Corpus& corpus) {
  std::unordered_map<std::string, fs::path> by_cut;
  for (const fs::path& archive : entries_of(folder)) {
    if (!is_shar_audio(archive)) continue;
    for_each_member(archive, corpus, [&](TarReader& member) {
      const fs::path name = member.name();
      if (!is_audio_name(name)) return;
      by_cut.emplace(fs::path(name).replace_extension().generic_string(), audio.unpack(member));
    });
  }
  return by_cut;
}

/// Names the unpacked file as the source of the cut's recording. Files that lie beside the cuts
/// keep their place.
void place_audio(SharJson& cut, const std::unordered_map<std::string, fs::path>& by_cut,
                 const fs::path& folder) {
  if (!cut.contains("recording")) return;
  SharJson& sources = cut["recording"].at("sources");
  for (SharJson& source : sources)
    if (source.at("type") == "file")
      source["source"] =
          fs::absolute(find_beside(source.at("source").get<std::string>(), folder)).string();
  const auto found = by_cut.find(cut.at("id").get<std::string>());
  if (found == by_cut.end() || sources.size() != 1 || sources[0].at("type") != "shar") return;
  sources[0]["type"] = "file";
  sources[0]["source"] = fs::absolute(found->second).string();
}

/// The cuts of all shards as one file for read_lhotse().
void write_cuts(const fs::path& folder, const fs::path& file,
                const std::unordered_map<std::string, fs::path>& by_cut) {
  std::ofstream cuts(file);
  for (const fs::path& shard : entries_of(folder)) {
    if (!is_shar_cuts(shard)) continue;
    TextLines lines(shard);
    for (std::string line; lines.next(line);) {
      if (line.find_first_not_of(" \t") == std::string::npos) continue;
      try {
        SharJson cut = parse_json_object(line, lines.where());
        place_audio(cut, by_cut, folder);
        line = cut.dump();
      } catch (const UserError&) {  // read_lhotse() says what is wrong with it
      } catch (const SharJson::exception&) {
      }
      cuts << line << '\n';
    }
  }
  cuts.close();
  if (!cuts) throw Failure("cannot write " + file.string(), "is there space left?");
}

}  // namespace

bool is_lhotse_shar(const fs::path& folder) {
  const std::vector<fs::path> entries = entries_of(folder);
  return std::any_of(entries.begin(), entries.end(), is_shar_cuts) &&
         std::any_of(entries.begin(), entries.end(), is_shar_audio);
}

Corpus read_lhotse_shar(const fs::path& folder, const fs::path& unpacked) {
  UnpackedAudio audio(unpacked);
  Corpus damaged;
  const auto by_cut = unpack_all(folder, audio, damaged);
  const fs::path cuts = unpacked / "cuts.jsonl";
  write_cuts(folder, cuts, by_cut);
  Corpus corpus = read_lhotse(cuts);
  fs::remove(cuts);
  corpus.skipped.insert(corpus.skipped.end(), damaged.skipped.begin(), damaged.skipped.end());
  corpus.remarks.push_back(audio.remark());
  return corpus;
}

}  // namespace scion
