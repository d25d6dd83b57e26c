#include "scion/data/corpora/corpus.h"

#include "scion/core/error.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// Whether anything in the folder's tree, or (at depth 0) the folder itself, has such a name.
bool holds(const fs::path& folder, bool whole_tree, const std::function<bool(std::string)>& named) {
  std::error_code error;
  if (!whole_tree) {
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (named(entry.path().filename().string())) return true;
    return false;
  }
  for (const auto& entry : fs::recursive_directory_iterator(
           folder, fs::directory_options::follow_directory_symlink, error))
    if (named(entry.path().filename().string())) return true;
  return false;
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

CorpusFormat detect_format(const fs::path& source) {
  if (!fs::exists(source))
    throw UserError("no such file or folder: " + source.string(),
                    "name a corpus: a manifest, a table, or a folder");
  if (!fs::is_directory(source)) return detect_file_format(source);
  if (fs::exists(source / "wav.scp")) return CorpusFormat::kaldi;
  if (!metadata_table(source).empty()) return CorpusFormat::table;
  if (holds(source, false, is_lhotse_name)) return CorpusFormat::lhotse;
  if (holds(source, true, [](const std::string& file) { return file.ends_with(".trans.txt"); }))
    return CorpusFormat::librispeech;
  throw UserError(
      "no corpus in " + source.string(),
      "looked for wav.scp (Kaldi), *cuts*.jsonl, *recordings*.jsonl and *supervisions*.jsonl "
      "(Lhotse) and *.trans.txt (LibriSpeech); of Common Voice, name the table, e.g. train.tsv");
}

}  // namespace

Corpus read_corpus(const fs::path& source, CorpusFormat format, const TableConfig& table) {
  switch (format) {
    case CorpusFormat::automatic:
      if (table.columns.any_chosen() && fs::is_regular_file(source))
        return read_table(source, table);
      return read_corpus(source, detect_format(source), table);
    case CorpusFormat::manifest:
      return {read_manifest(source), {}};
    case CorpusFormat::librispeech:
      return read_librispeech(source);
    case CorpusFormat::kaldi:
      return read_kaldi(source);
    case CorpusFormat::lhotse:
      return read_lhotse(source);
    case CorpusFormat::common_voice:
      return read_common_voice(source);
    case CorpusFormat::table:
      return read_table(fs::is_directory(source) ? source / metadata_table(source) : source, table);
  }
  throw std::logic_error("a corpus format without a reader");
}

}  // namespace scion
