#include <map>

#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/layouts/archives.h"
#include "scion/data/corpora/layouts/unpacked_audio.h"
#include "scion/data/corpora/readers/audio_finder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t longest_text = uint64_t{1} << 20;

/// The archives that a list names, or the one that is named itself.
std::vector<fs::path> archives_of(const fs::path& source) {
  if (source.extension() == ".tar") return {source};
  std::vector<fs::path> archives;
  TextLines lines(source);
  for (std::string line; lines.next(line);) {
    line.erase(line.find_last_not_of(" \t") + 1);
    if (!line.empty()) archives.push_back(find_beside(line, source.parent_path()));
  }
  return archives;
}

/// What an archive has of one utterance.
struct ShardItem {
  std::optional<std::string> text;
  fs::path audio;
};

std::string spaces_around_removed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

void read_shard(const fs::path& archive, UnpackedAudio& audio, Corpus& corpus) {
  std::map<std::string, ShardItem> items;
  for_each_member(archive, corpus, [&](TarReader& member) {
    const fs::path name = member.name();
    const std::string id = fs::path(name).replace_extension().generic_string();
    if (name.extension() == ".txt")
      items[id].text = spaces_around_removed(member.text(longest_text));
    else if (is_audio_name(name) && items[id].audio.empty())
      items[id].audio = audio.unpack(member);
  });
  for (auto& [id, item] : items) {
    if (!item.text || item.audio.empty()) {
      corpus.skipped.push_back(
          {id, item.text ? "no audio in its archive" : "no .txt in its archive"});
      continue;
    }
    try {
      check_line(*item.text, fmt::format("{}: {}.txt", archive.string(), id));
      corpus.utterances.push_back({.id = id, .audio = item.audio, .text = std::move(*item.text)});
    } catch (const UserError& error) {
      corpus.skipped.push_back({id, error.what(), error.hint()});
    }
  }
}

}  // namespace

Corpus read_shards(const fs::path& source, const fs::path& unpacked) {
  UnpackedAudio audio(unpacked);
  Corpus corpus;
  for (const fs::path& archive : archives_of(source)) read_shard(archive, audio, corpus);
  check_not_empty(corpus, source, "a shard holds ID.txt and ID.wav for every utterance");
  corpus.remarks.push_back(audio.remark());
  return corpus;
}

}  // namespace scion
