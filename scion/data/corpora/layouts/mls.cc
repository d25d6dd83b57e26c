#include <fmt/format.h>

#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/layouts/corpus_sets.h"
#include "scion/data/corpora/layouts/layouts.h"
#include "scion/data/corpora/readers/audio_finder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr auto mls_hint = "a line of transcripts.txt is: SPEAKER_BOOK_NUMBER, tab, text";

bool is_mls_set(const fs::path& folder) {
  return fs::exists(folder / "transcripts.txt") && fs::is_directory(folder / "audio");
}

}  // namespace

bool is_mls(const fs::path& folder) { return is_mls_set(folder) || has_set(folder, is_mls_set); }

Corpus read_mls(const fs::path& folder) {
  if (!is_mls_set(folder)) return read_mls(only_set(folder, is_mls_set));
  AudioFinder finder(folder / "audio");
  Corpus corpus;
  TextLines lines(folder / "transcripts.txt");
  for (std::string line; lines.next(line);) {
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    const std::string id = line.substr(0, line.find('\t'));
    const size_t first = id.find('_'), second = id.find('_', first + 1);
    if (id.size() == line.size() || first == std::string::npos || second == std::string::npos) {
      corpus.skipped.push_back({lines.where(), "no id and text with a tab between them", mls_hint});
      continue;
    }
    const std::string speaker = id.substr(0, first);
    const std::string book = id.substr(first + 1, second - first - 1);
    corpus.utterances.push_back(
        {.id = id,
         .audio = finder.find_or_name(fmt::format("{}/{}/{}", speaker, book, id)),
         .text = line.substr(id.size() + 1),
         .speaker = speaker});
  }
  check_not_empty(corpus, folder, mls_hint);
  return corpus;
}

}  // namespace scion
