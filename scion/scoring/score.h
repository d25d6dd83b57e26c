// Scoring a whole set: references and hypotheses from files, WER and CER with intervals.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scion/scoring/alignment.h"
#include "scion/scoring/bootstrap.h"
#include "scion/scoring/transcript.h"
#include "scion/text/normalisation.h"

namespace scion {

/// The part of an id before its first '-' or, without one, its first '_', as in LibriSpeech and in
/// sclite's ids (-i spu_id, swb, rm); an id without either is its own speaker.
std::string speaker_of_id(const std::string& id);

struct ScoreOptions {
  bool missing_as_empty = false;   ///< score a reference without a hypothesis as all deleted
  bool by_speaker = false;         ///< the bootstrap draws speakers, not utterances
  bool need_speakers = false;      ///< an unknown speaker is an error, as with by_speaker
  bool speakers_from_ids = false;  ///< speaker_of_id
  std::unordered_map<std::string, std::string> utt2spk = {};  ///< speakers by id; {}: not given
  AlignmentCosts costs = AlignmentCosts::levenshtein;
  bool fragments = false;    ///< `word-` equals every word that begins so, see marked_alignment.h
  NormalisationConfig text;  ///< applied to references and hypotheses first
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

/// Ids that differ in letter case only are equal where that is unambiguous, as in sclite.
/// UserErrors: hypotheses without a reference, references without a hypothesis (unless
/// `missing_as_empty`), with their numbers and first ids; speakers needed but unknown. Warns when
/// speakers from ids are as many as utterances.
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

/// Substitutions of words that differ in letter case only.
int64_t count_case_errors(const std::vector<UtteranceScore>& utterances);

/// `wer` and `cer` in percent; an infinite rate is null. Alignments per utterance on request.
nlohmann::json to_json(const SetScore& score, bool alignments = false);
/// A table to read, rates in percent.
std::string to_text(const SetScore& score);
/// Reference over hypothesis, word under word, errors marked S, I, D below.
std::string to_text(const UtteranceScore& utterance);

}  // namespace scion
