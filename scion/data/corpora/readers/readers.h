// Readers of the formats that other toolkits and publishers use.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/data/manifest.h"
#include "scion/data/skipped.h"

namespace scion {

/// Contents of a corpus. Lengths are those that the corpus gives, 0 where it gives none.
struct Corpus {
  std::vector<Utterance> utterances;
  std::vector<Skipped> skipped;  ///< listed in the corpus but missing
};

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
