// Files of references and hypotheses in every form that is scored.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scion/scoring/transcript.h"

namespace scion {

/// Transcripts in the order of the file. The first character tells the forms apart:
/// - Kaldi text: `id word word …`; an id alone has no words;
/// - JSON, one object a line or an array of them: `id` (or NeMo's `audio_filepath`, with its
///   `offset`), `text`, `speaker` if known; of hypotheses, `pred_text` takes precedence over
///   `text`. NaN and Infinity, which Python writes, are null.
/// UserError naming file and line: not JSON, a key missing, `pred_text` in some lines only, an id
/// twice, an empty file, a table with a header.
std::vector<Transcript> parse_transcripts(std::string_view content, Role role,
                                          const std::string& place);

/// Names of the forms a file may have: auto, text (Kaldi text or JSON), trn, ctm, stm.
std::vector<std::string> transcript_formats();

/// The form of a file whose format is "auto": by the extension .trn, .ctm or .stm, else by what
/// every line looks like: an id in parentheses at the end (trn), times with decimal points in the
/// columns of a ctm or an stm; else text.
std::string find_format(const std::filesystem::path& path, std::string_view content);

/// One file; of a .ctm, every channel is an utterance. UserError for an .stm, which needs the words
/// of a .ctm, and with "auto" for extensions of other forms (.csv, .rttm, .glm, …).
std::vector<Transcript> read_transcripts(const std::filesystem::path& path, Role role,
                                         const std::string& format = "auto");

struct ScoredFiles {
  std::filesystem::path references, hypotheses;
  std::string reference_format = "auto", hypothesis_format = "auto";
  std::filesystem::path rules = {};  ///< a .glm for both sides, or ""
};

/// Both sides. References in an .stm take the words of a .ctm by their times; of two .ctm, the ids
/// name channels where one side has several of a file.
TranscriptPair read_transcript_pair(const ScoredFiles& files);

/// Kaldi's utt2spk: `id speaker`.
std::unordered_map<std::string, std::string> read_utt2spk(const std::filesystem::path& path);

}  // namespace scion
