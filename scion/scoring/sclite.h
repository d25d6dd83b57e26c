// Reports in the manner of NIST's sclite: alignments, the table by speaker, the words that are most
// often confused.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scion/scoring/score.h"

namespace scion {

enum class Capitals { wrong_words, none };

/// `id`, `Scores: (#C #S #D #I)` and the lines REF, HYP and Eval, word under word, as `sclite -o
/// pra`; missing words are asterisks. Wrong words are in capitals (ASCII letters) or, as with
/// `sclite -s`, where letter case counts, as they are. The counts are those of the alignment:
/// sclite's with AlignmentCosts::nist.
std::string sclite_text(const UtteranceScore& utterance, Capitals capitals = Capitals::wrong_words);

struct SpeakerScore {
  std::string speaker;
  int64_t utterances = 0, wrong_utterances = 0;
  ErrorCounts words;
};

/// Speakers in order of first appearance.
std::vector<SpeakerScore> scores_by_speaker(const SetScore& score);
/// # Snt, # Wrd, Corr, Sub, Del, Ins, Err, S.Err (in %) of every speaker and of all.
std::string speaker_table(const std::vector<SpeakerScore>& speakers);

struct Confusion {
  std::string reference, hypothesis;  ///< "" on the missing side
  int64_t count = 0;
};

/// Each list has the most frequent first; equally frequent ones are in the order of their letters.
struct Confusions {
  std::vector<Confusion> substitutions, insertions, deletions;
};

Confusions count_confusions(const std::vector<UtteranceScore>& utterances);
/// The first `shown` of each.
std::string to_text(const Confusions& confusions, size_t shown);

nlohmann::json to_json(const std::vector<SpeakerScore>& speakers);
/// The first `shown` of each.
nlohmann::json to_json(const Confusions& confusions, size_t shown);

}  // namespace scion
