// Corpora as they come: readers of the forms that other toolkits and publishers use.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/data/audio_check.h"
#include "scion/data/manifest.h"

namespace scion {

/// What a reader found. Lengths are as the corpus says, 0 where it does not.
struct Corpus {
  std::vector<Utterance> utterances;
  std::vector<Skipped> skipped;  ///< what the corpus itself names but does not have
};

/// "auto", then every form's name.
std::vector<std::string> corpus_formats();

/// Reads a corpus in the form `format`; "auto" looks at what there is. UserError when it is none of
/// them (with what was looked for), and on whatever its reader refuses.
Corpus read_corpus(const std::filesystem::path& source, const std::string& format = "auto");

/// A LibriSpeech tree (`speaker/chapter/*.trans.txt` beside the audio): sorted by id.
/// UserError when no transcript is found.
Corpus read_librispeech(const std::filesystem::path& directory);

/// A Kaldi data directory: `wav.scp`, `text`, and if they are there `utt2spk` and `segments`. Paths
/// are relative to the working directory or else to `directory`. Utterances without text or audio
/// are skipped. UserError with file and line: a pipe or a place in an archive instead of a file,
/// missing fields, an id twice.
Corpus read_kaldi(const std::filesystem::path& directory);

/// Lhotse: a file of cuts (JSONL, or gzipped), one utterance a supervision; or a folder, or a path
/// in it, of one `*recordings*.jsonl[.gz]` and one `*supervisions*.jsonl[.gz]`. Audio paths are
/// relative to the working directory or else to the file. UserError with the line: mixed cuts,
/// audio that comes from a command, an address or memory, missing keys, an id twice.
Corpus read_lhotse(const std::filesystem::path& source);

/// A Common Voice table (`train.tsv`, …; columns `client_id`, `path`, `sentence`) with its audio in
/// `clips/` beside it. UserError with the line: columns missing.
Corpus read_common_voice(const std::filesystem::path& table);

/// `path` if it is absolute or there, else the same inside `folder`.
std::filesystem::path find_beside(const std::filesystem::path& path,
                                  const std::filesystem::path& folder);

}  // namespace scion
