#include "scion/data/corpora/corpus.h"

#include <unordered_set>

#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// Whether the folder itself holds a file with such a name.
bool holds(const fs::path& folder, const NameTest& wanted) {
  const std::vector<fs::path> entries = entries_of(folder);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const fs::path& entry) { return wanted(entry.filename().string()); });
}

bool is_lhotse_name(const std::string& name) {
  const bool lines = name.ends_with(".jsonl") || name.ends_with(".jsonl.gz");
  return lines && (name.find("cuts") != std::string::npos ||
                   name.find("supervisions") != std::string::npos ||
                   name.find("recordings") != std::string::npos);
}

/// The table in a folder of audio (Hugging Face's audiofolder, LJSpeech); empty: there is none.
fs::path metadata_table(const fs::path& folder) {
  for (const char* name : {"metadata.csv", "metadata.jsonl"})
    if (fs::exists(folder / name)) return folder / name;
  return "";
}

bool is_transcript_name(const std::string& name) { return name.ends_with(".trans.txt"); }

CorpusFormat detect_format(const fs::path& source) {
  std::error_code not_there;
  if (!fs::exists(source, not_there))
    throw UserError("no such file or folder: " + source.string(),
                    "name a corpus: a manifest, a table, or a folder");
  if (!fs::is_directory(source)) return detect_file_format(source);
  if (fs::exists(source / "wav.scp")) return CorpusFormat::kaldi;
  if (!metadata_table(source).empty()) return CorpusFormat::table;
  if (holds(source, is_lhotse_name)) return CorpusFormat::lhotse;
  if (has_file_under(source, is_transcript_name)) return CorpusFormat::librispeech;
  throw UserError(
      "no corpus in " + source.string(),
      "looked for wav.scp (Kaldi), *cuts*.jsonl, *recordings*.jsonl and *supervisions*.jsonl "
      "(Lhotse) and *.trans.txt (LibriSpeech); of Common Voice, name the table, e.g. train.tsv");
}

Corpus read_as(CorpusFormat format, const fs::path& source, const TableConfig& table) {
  switch (format) {
    case CorpusFormat::automatic:
      if (table.columns.any_chosen() && fs::is_regular_file(source))
        return read_table(source, table);
      return read_as(detect_format(source), source, table);
    case CorpusFormat::manifest:
      return read_manifest_corpus(source);
    case CorpusFormat::librispeech:
      return read_librispeech(source);
    case CorpusFormat::kaldi:
      return read_kaldi(source);
    case CorpusFormat::lhotse:
      return read_lhotse(source);
    case CorpusFormat::common_voice:
      return read_common_voice(source);
    case CorpusFormat::table:
      return read_table(fs::is_directory(source) ? metadata_table(source) : source, table);
  }
  throw std::logic_error("a corpus format without a reader");
}

/// Of utterances with one id the first stays.
void leave_out_repeated_ids(Corpus& corpus) {
  std::unordered_set<std::string> ids;
  std::vector<Utterance> kept;
  kept.reserve(corpus.utterances.size());
  for (Utterance& utterance : corpus.utterances) {
    if (ids.insert(utterance.id).second)
      kept.push_back(std::move(utterance));
    else
      corpus.skipped.push_back({utterance.id, "an utterance with this id comes before it",
                                "give every utterance its own id"});
  }
  corpus.utterances = std::move(kept);
}

}  // namespace

Corpus read_corpus(const fs::path& source, CorpusFormat format, const TableConfig& table) {
  Corpus corpus = read_as(format, source, table);
  leave_out_repeated_ids(corpus);
  return corpus;
}

}  // namespace scion
