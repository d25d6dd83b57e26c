// Corpora that are recognised by how their folders are laid out, and their readers.
#pragma once

#include <filesystem>
#include <string>

#include "scion/data/corpora/readers/readers.h"

namespace scion {

// A corpus of several sets (train, dev, test) is read one set at a time: its root is a UserError
// that names them.

/// AISHELL-1: `transcript/aishell_transcript_*.txt` in the folder or in one above it, audio in
/// `wav/SET/SPEAKER`.
bool is_aishell(const std::filesystem::path& folder);
Corpus read_aishell(const std::filesystem::path& folder);

/// Multilingual LibriSpeech, a set: `transcripts.txt` (id, tab, text) beside `audio/SPEAKER/BOOK`.
bool is_mls(const std::filesystem::path& folder);
Corpus read_mls(const std::filesystem::path& folder);

/// VCTK: `txt/SPEAKER/ID.txt` with audio in `wav48_silence_trimmed` (of the first microphone, or
/// else of the second) or `wav48`.
bool is_vctk(const std::filesystem::path& folder);
Corpus read_vctk(const std::filesystem::path& folder);

/// TIMIT, a set or a part of one: `SPEAKER/ID.WAV` with its .PHN and .TXT (samples, then the
/// sentence), in either case. Ids are SPEAKER_ID, since speakers share sentences.
bool is_timit(const std::filesystem::path& folder);
Corpus read_timit(const std::filesystem::path& folder);

/// Audio files, each with a text of the same name beside it: `.txt` or `.lab`, or LibriTTS's
/// `.normalized.txt` (whose speakers are known). Audio without a text is skipped.
bool is_audio_with_texts(const std::filesystem::path& folder);
Corpus read_audio_with_texts(const std::filesystem::path& folder);

/// A file of NIST's segment time marks, or a folder of them (`*.stm`, or TED-LIUM's `stm` beside
/// `sph`): an utterance a line, `file channel speaker begin end [<label>] text`. Noise marks
/// (`{NOISE}`) and numbers of pronunciations (`word(2)`) are removed; lines that are not scored,
/// have no text, or hold words that were not transcribed (`<unk>`) are left out with a remark.
/// Skipped: lines with missing fields, a channel that is none, alternatives.
bool is_stm(const std::filesystem::path& folder);
Corpus read_stm(const std::filesystem::path& source);

/// GigaSpeech.json, the segments of one subset (XS, S, M, L, XL, DEV or TEST). Punctuation tags are
/// removed; segments without speech (<SIL>, <MUSIC>, <NOISE>, <OTHER>) are left out with a remark.
/// UserError when `subset` is empty or not there.
Corpus read_gigaspeech(const std::filesystem::path& file, const std::string& subset);

}  // namespace scion
