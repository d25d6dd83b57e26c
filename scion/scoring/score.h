// Scoring a whole set: references and hypotheses from files, WER and CER with intervals.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "scion/scoring/alignment.h"
#include "scion/scoring/bootstrap.h"
#include "scion/text/normalisation.h"

namespace scion {

struct Transcript {
  std::string id, text;
  std::string speaker = {};  ///< "" if unknown
};

enum class Role { reference, hypothesis };

/// Transcripts in the order of the file. The first character tells the two forms apart:
/// - Kaldi text: `id word word …`, fields separated by spaces or tabs; an id alone has no words;
/// - JSON lines: `id` (or NeMo's `audio_filepath`), `text`, `speaker` if known; in hypotheses,
///   `pred_text` takes precedence over `text`.
/// UserError naming file and line: not JSON, a key missing, an id twice, an empty file.
std::vector<Transcript> parse_transcripts(std::string_view content, Role role,
                                          const std::string& place);

/// Names of the forms a file may have: auto (by the extension .trn or .ctm, else by the first
/// character), text, trn, ctm.
std::vector<std::string> transcript_formats();
/// See parse_transcripts, and nist.h for trn and ctm.
std::vector<Transcript> read_transcripts(const std::filesystem::path& path, Role role,
                                         const std::string& format = "auto");

/// The part of an id before its first '-': LibriSpeech's speaker.
std::string speaker_of_id(const std::string& id);

struct ScoreOptions {
  bool missing_as_empty = false;   ///< score a reference without a hypothesis as all deleted
  bool by_speaker = false;         ///< the bootstrap draws speakers, not utterances
  bool need_speakers = false;      ///< an unknown speaker is an error, as with by_speaker
  bool speakers_from_ids = false;  ///< speakers are the ids' prefixes
  NormalisationConfig text;        ///< applied to references and hypotheses first
  double confidence = 0.95;
  int64_t draws = 10000;
  uint64_t seed = 1;
};

struct UtteranceScore {
  std::string id, speaker;
  ErrorCounts words, characters;
  std::vector<AlignedWord> alignment;
};

struct SetScore {
  std::vector<UtteranceScore> utterances;  ///< in the order of the references
  ErrorCounts words, characters;
  int64_t wrong_utterances = 0;      ///< with at least one word error
  std::vector<std::string> missing;  ///< ids scored as empty
  Interval interval;                 ///< of the word error rate
  int64_t units = 0;  ///< number that the bootstrap drew from: utterances or speakers
  ScoreOptions options;

  /// Adds the utterance's counts to those of the set.
  void add(const UtteranceScore& utterance);
};

/// UserErrors: a hypothesis without a reference, a reference without a hypothesis (unless
/// `missing_as_empty`), both naming the ids; speakers needed but unknown; no utterances.
SetScore score(const std::vector<Transcript>& references, const std::vector<Transcript>& hypotheses,
               const ScoreOptions& options = {});

/// Aligns one text with its reference; both are taken as they are.
UtteranceScore score_texts(const std::string& id, const std::string& speaker,
                           std::string_view reference, std::string_view hypothesis);

/// 95 % interval of the word error rate when speakers are drawn with replacement. An utterance
/// whose speaker is unknown ("") counts as a speaker.
Interval speaker_interval(const std::vector<UtteranceScore>& utterances);

/// Counts summed by speaker, speakers in order of first appearance.
std::vector<ErrorCounts> counts_by_speaker(const std::vector<UtteranceScore>& utterances);

/// `wer` and `cer` in percent; an infinite rate is null. Alignments per utterance on request.
nlohmann::json to_json(const SetScore& score, bool alignments = false);
/// A table to read, rates in percent.
std::string to_text(const SetScore& score);
/// Reference over hypothesis, word under word, errors marked S, I, D below.
std::string to_text(const UtteranceScore& utterance);

}  // namespace scion
