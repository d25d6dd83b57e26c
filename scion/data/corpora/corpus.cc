#include "scion/data/corpora/corpus.h"

#include <unordered_set>

#include "scion/core/error.h"
#include "scion/data/corpora/layouts/archives.h"
#include "scion/data/corpora/layouts/layouts.h"

namespace scion {

namespace {

namespace fs = std::filesystem;

/// The table that is named, or that lies in the folder that is.
fs::path table_of(const fs::path& source) {
  if (!fs::is_directory(source)) return source;
  const fs::path table = metadata_table(source);
  if (table.empty())
    throw UserError(source.string() + " has no metadata.csv or metadata.jsonl", "name the table");
  return table;
}

/// Options that the reader of this format does not know would be ignored.
void check_options(const fs::path& source, CorpusFormat format, const CorpusOptions& options) {
  if (options.table.columns.any_chosen() && format != CorpusFormat::table)
    throw UserError(
        fmt::format("{} is no table ({}), so it has no columns", source.string(), word_of(format)),
        "leave out --column, or name a table");
  if (!options.subset.empty() && format != CorpusFormat::gigaspeech)
    throw UserError(fmt::format("{} ({}) has no subsets", source.string(), word_of(format)),
                    "leave out --subset, or name the set's folder");
}

Corpus read_as(const fs::path& source, CorpusFormat format, const CorpusOptions& options) {
  switch (format) {
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
      return read_table(table_of(source), options.table);
    case CorpusFormat::stm:
      return read_stm(source);
    case CorpusFormat::aishell:
      return read_aishell(source);
    case CorpusFormat::mls:
      return read_mls(source);
    case CorpusFormat::vctk:
      return read_vctk(source);
    case CorpusFormat::timit:
      return read_timit(source);
    case CorpusFormat::gigaspeech:
      return read_gigaspeech(fs::is_directory(source) ? source / "GigaSpeech.json" : source,
                             options.subset);
    case CorpusFormat::shards:
      return read_shards(source, options.unpacked);
    case CorpusFormat::lhotse_shar:
      return read_lhotse_shar(source, options.unpacked);
    case CorpusFormat::audio_with_texts:
      return read_audio_with_texts(source);
    case CorpusFormat::automatic:
      break;
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

Corpus read_corpus(const fs::path& source, CorpusFormat format, const CorpusOptions& options) {
  if (format == CorpusFormat::automatic) {
    const bool is_table = options.table.columns.any_chosen() && fs::is_regular_file(source);
    format = is_table ? CorpusFormat::table : detect_format(source);
  }
  check_options(source, format, options);
  Corpus corpus = read_as(source, format, options);
  leave_out_repeated_ids(corpus);
  return corpus;
}

}  // namespace scion
