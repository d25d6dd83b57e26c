// Readers of the formats that other toolkits and publishers use.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/core/error.h"
#include "scion/data/manifest/manifest.h"
#include "scion/data/skipped.h"

namespace scion {

/// Contents of a corpus. Lengths are those that the corpus gives, 0 where it gives none.
struct Corpus {
  std::vector<Utterance> utterances;
  std::vector<Skipped> skipped;  ///< listed in the corpus, but not to be used
  /// What whoever prepares the corpus should know: what is not read as it was written, and how
  /// often.
  std::vector<std::string> remarks = {};
};

/// What an error in one line says, without the place `where` that its message begins with.
Skipped skipped_for(const UserError& error, const std::string& where);

/// UserError when nothing was read from `source`.
void check_not_empty(const Corpus& corpus, const std::filesystem::path& source,
                     const std::string& hint);

/// A manifest (see manifest.h), whose durations may be missing: the audio is decoded anyway. Lines
/// that are invalid are skipped.
Corpus read_manifest_corpus(const std::filesystem::path& path);

/// A LibriSpeech tree (`speaker/chapter/*.trans.txt` beside the audio): sorted by id.
/// UserError when no transcript is found.
Corpus read_librispeech(const std::filesystem::path& directory);

/// A Kaldi data directory: `wav.scp`, `text`, and if they are there `utt2spk`, `segments` (with a
/// channel in the fifth column) and `reco2file_and_channel`. Paths: see find_beside. Skipped:
/// utterances without text or audio, with a place in an archive instead of a file, or a command
/// that does more than decode one (see piped_file), with times that cannot be; of lines with one
/// key the later ones. UserError with file and line for further columns, whose meaning is not
/// known.
Corpus read_kaldi(const std::filesystem::path& directory);

/// Lhotse: a file of cuts (JSONL, or gzipped), one utterance a supervision; or a folder, or a path
/// in it, of one `*recordings*.jsonl[.gz]` and one `*supervisions*.jsonl[.gz]`. Audio paths: see
/// find_beside. Speed and Tempo of a recording are undone (times are mapped to those of its file),
/// and such copies left out where the original is there; Volume and Resample do not matter.
/// Skipped: other transforms, mixed cuts, cuts without a recording, audio that comes from a
/// command, an address or memory, lines that cannot be read.
Corpus read_lhotse(const std::filesystem::path& source);

/// A Common Voice table (`train.tsv`, …; columns `client_id`, `path`, `sentence`) with its audio in
/// `clips/` beside it. The quoting of CSV is undone in sentences. UserError when columns are
/// missing.
Corpus read_common_voice(const std::filesystem::path& table);

/// Where `path`, as a list in `folder` gives it, lies: in that folder, or in the nearest folder
/// above it (recipes count from their root), or else relative to the working directory. `folder` /
/// `path` when it is nowhere.
std::filesystem::path find_beside(const std::filesystem::path& path,
                                  const std::filesystem::path& folder);

}  // namespace scion
