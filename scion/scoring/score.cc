#include "scion/scoring/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/scoring/marked_alignment.h"
#include "scion/scoring/marked_text.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

using nlohmann::json;

std::string name_ids(const std::vector<std::string>& ids) {
  constexpr size_t shown = 5;
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), shown));
  std::string text = fmt::format("{}", fmt::join(ids.begin(), end, ", "));
  if (ids.size() > shown) text += fmt::format(" and {} more", ids.size() - shown);
  return text;
}

using TranscriptsById = std::unordered_map<std::string, const Transcript*>;

TranscriptsById by_id(const std::vector<Transcript>& transcripts, const char* what) {
  TranscriptsById result;
  for (const Transcript& transcript : transcripts)
    if (!result.emplace(transcript.id, &transcript).second)
      throw UserError(fmt::format("id '{}' occurs twice among the {}", transcript.id, what));
  return result;
}

std::string in_lower_case(const std::string& text) {
  return normalise_text(text, {.letter_case = LetterCase::lower});
}

// As in sclite, ids that differ in letter case only are equal, where that is unambiguous:
// hypotheses without a reference get its id.
std::vector<Transcript> with_ids_of(const std::vector<Transcript>& references,
                                    std::vector<Transcript> hypotheses) {
  const TranscriptsById exact = by_id(references, "references");
  std::unordered_set<std::string> taken;
  for (const Transcript& hypothesis : hypotheses) taken.insert(hypothesis.id);
  std::unordered_map<std::string, std::vector<std::string>> free, unknown;  // by folded id
  for (const Transcript& reference : references)
    if (!taken.contains(reference.id)) free[in_lower_case(reference.id)].push_back(reference.id);
  for (const Transcript& hypothesis : hypotheses)
    if (!exact.contains(hypothesis.id))
      unknown[in_lower_case(hypothesis.id)].push_back(hypothesis.id);
  for (Transcript& hypothesis : hypotheses) {
    if (exact.contains(hypothesis.id)) continue;
    const std::string folded = in_lower_case(hypothesis.id);
    const auto ids = free.find(folded);
    if (ids != free.end() && ids->second.size() == 1 && unknown[folded].size() == 1)
      hypothesis.id = ids->second[0];
  }
  return hypotheses;
}

std::vector<std::string> ids_not_in(const TranscriptsById& known,
                                    const std::vector<Transcript>& transcripts) {
  std::vector<std::string> ids;
  for (const Transcript& transcript : transcripts)
    if (!known.contains(transcript.id)) ids.push_back(transcript.id);
  return ids;
}

std::string speaker_of(const Transcript& reference, const ScoreOptions& options) {
  if (options.speakers_from_ids) return speaker_of_id(reference.id);
  if (!options.utt2spk.empty()) {
    const auto speaker = options.utt2spk.find(reference.id);
    if (speaker != options.utt2spk.end()) return speaker->second;
    throw UserError(fmt::format("the speaker of reference '{}' is not in utt2spk", reference.id),
                    "give the utt2spk of the references");
  }
  if ((options.by_speaker || options.need_speakers) && reference.speaker.empty())
    throw UserError(fmt::format("the speaker of reference '{}' is not known", reference.id),
                    "give references as JSON lines with 'speaker', a Kaldi utt2spk (--utt2spk), or "
                    "take speakers from ids (--speakers-from-ids: the part before '-' or '_')");
  return reference.speaker;
}

// The text with its marks, or as words without marks.
MarkedText marked_text_of(const Transcript& transcript, Role role) {
  if (transcript.marked) return parse_marked_text(transcript.text, role, transcript.id);
  MarkedText words;
  for (std::string& word : split_words(transcript.text)) words.push_back({.word = word});
  return words;
}

UtteranceScore score_utterance(const Transcript& reference, const Transcript& hypothesis,
                               const ScoreOptions& options) {
  UtteranceScore score{reference.id, speaker_of(reference, options)};
  if (reference.marked || hypothesis.marked || options.fragments) {
    MarkedAlignment alignment = align(marked_text_of(reference, Role::reference),
                                      marked_text_of(hypothesis, Role::hypothesis),
                                      {options.costs, options.fragments, options.text});
    score.alignment = std::move(alignment.words);
    score.characters = character_errors(alignment.reference, alignment.hypothesis);
  } else {
    const std::string first = normalise_text(reference.text, options.text);
    const std::string second = normalise_text(hypothesis.text, options.text);
    score.alignment = align(split_words(first), split_words(second), options.costs);
    score.characters = character_errors(first, second);
  }
  score.words = count_errors(score.alignment);
  return score;
}

void warn_about_speakers(const SetScore& score) {
  std::unordered_set<std::string_view> speakers;
  for (const UtteranceScore& utterance : score.utterances) speakers.insert(utterance.speaker);
  if (speakers.size() > 1 && speakers.size() == score.utterances.size())
    log_warning(
        "every utterance is a speaker of its own: the ids, such as '{}', have no speaker "
        "before '-' or '_'; --utt2spk FILE gives speakers",
        score.utterances[0].id);
}

void check_ids(const std::vector<std::string>& missing, const std::vector<std::string>& extra,
               size_t references, bool missing_as_empty) {
  const std::string no_hypothesis = fmt::format("{} of {} references have no hypothesis: {}",
                                                missing.size(), references, name_ids(missing));
  const std::string no_reference =
      fmt::format("{} hypotheses have no reference: {}", extra.size(), name_ids(extra));
  if (!extra.empty())
    throw UserError(missing.empty() ? no_reference : no_hypothesis + "; " + no_reference,
                    "score hypotheses against the references of the same set, with equal ids");
  if (!missing.empty() && !missing_as_empty)
    throw UserError(no_hypothesis, "add them, or score them as empty with --missing-as-empty");
}

void add_interval(SetScore& score) {
  std::vector<ErrorCounts> units;
  if (score.options.by_speaker) {
    units = counts_by_speaker(score.utterances);
  } else {
    for (const UtteranceScore& utterance : score.utterances) units.push_back(utterance.words);
  }
  score.units = static_cast<int64_t>(units.size());
  score.interval =
      bootstrap_rate(units, score.options.confidence, score.options.draws, score.options.seed);
}

json counts_json(const ErrorCounts& counts) {
  return {{"reference", counts.reference_length()}, {"hits", counts.hits},
          {"substitutions", counts.substitutions},  {"insertions", counts.insertions},
          {"deletions", counts.deletions},          {"errors", counts.errors()}};
}

json alignment_json(const std::vector<AlignedWord>& alignment) {
  constexpr const char* names[] = {"hit", "substitution", "insertion", "deletion"};
  json list = json::array();
  for (const AlignedWord& word : alignment)
    list.push_back({names[static_cast<int>(word.edit)], word.reference, word.hypothesis});
  return list;
}

std::string counts_row(const char* name, const ErrorCounts& counts, const std::string& interval) {
  return fmt::format("{:<11}{:>10}{:>9}{:>11}   {:<17}{:>7}{:>7}{:>7}\n", name,
                     counts.reference_length(), counts.errors(),
                     fmt::format("{:.2f} %", 100 * counts.rate()), interval, counts.substitutions,
                     counts.insertions, counts.deletions);
}

}  // namespace

std::string speaker_of_id(const std::string& id) {
  const size_t hyphen = id.find('-');
  return id.substr(0, hyphen != std::string::npos ? hyphen : id.find('_'));
}

SetScore score(const std::vector<Transcript>& references, const std::vector<Transcript>& given,
               const ScoreOptions& options) {
  const std::vector<Transcript> hypotheses = with_ids_of(references, given);
  const TranscriptsById reference_of = by_id(references, "references");
  const TranscriptsById hypothesis_of = by_id(hypotheses, "hypotheses");
  SetScore result;
  result.options = options;
  result.missing = ids_not_in(hypothesis_of, references);
  check_ids(result.missing, ids_not_in(reference_of, hypotheses), references.size(),
            options.missing_as_empty);
  const Transcript empty;
  for (const Transcript& reference : references) {
    const auto hypothesis = hypothesis_of.find(reference.id);
    result.utterances.push_back(score_utterance(
        reference, hypothesis == hypothesis_of.end() ? empty : *hypothesis->second, options));
    result.add(result.utterances.back());
  }
  if (options.speakers_from_ids) warn_about_speakers(result);
  add_interval(result);
  return result;
}

void SetScore::add(const UtteranceScore& utterance) {
  words += utterance.words;
  characters += utterance.characters;
  wrong_utterances += utterance.words.errors() > 0;
}

UtteranceScore score_texts(const std::string& id, const std::string& speaker,
                           std::string_view reference, std::string_view hypothesis) {
  UtteranceScore score{id, speaker};
  score.alignment = align(split_words(reference), split_words(hypothesis));
  score.words = count_errors(score.alignment);
  score.characters = character_errors(reference, hypothesis);
  return score;
}

Interval speaker_interval(const std::vector<UtteranceScore>& utterances) {
  std::map<std::string, ErrorCounts> speakers;
  for (const UtteranceScore& utterance : utterances)
    speakers[utterance.speaker.empty() ? utterance.id : utterance.speaker] += utterance.words;
  std::vector<ErrorCounts> units;
  for (const auto& [speaker, counts] : speakers) units.push_back(counts);
  return bootstrap_rate(units);
}

std::vector<ErrorCounts> counts_by_speaker(const std::vector<UtteranceScore>& utterances) {
  std::vector<ErrorCounts> counts;
  std::unordered_map<std::string_view, size_t> place;
  for (const UtteranceScore& utterance : utterances) {
    const auto [entry, is_new] = place.emplace(utterance.speaker, counts.size());
    if (is_new) counts.emplace_back();
    counts[entry->second] += utterance.words;
  }
  return counts;
}

int64_t count_case_errors(const std::vector<UtteranceScore>& utterances) {
  int64_t count = 0;
  for (const UtteranceScore& utterance : utterances)
    for (const AlignedWord& word : utterance.alignment)
      count += word.edit == Edit::substitution &&
               in_lower_case(word.reference) == in_lower_case(word.hypothesis);
  return count;
}

json to_json(const SetScore& score, bool alignments) {
  json result;
  result["wer"] = 100 * score.words.rate();
  result["wer_interval"] = {100 * score.interval.low, 100 * score.interval.high};
  result["cer"] = 100 * score.characters.rate();
  result["utterances"] = score.utterances.size();
  result["wrong_utterances"] = score.wrong_utterances;
  result["words"] = counts_json(score.words);
  result["characters"] = counts_json(score.characters);
  result["missing"] = score.missing;
  result["case_errors"] = count_case_errors(score.utterances);
  result["bootstrap"] = {{"by", score.options.by_speaker ? "speaker" : "utterance"},
                         {"units", score.units},
                         {"draws", score.options.draws},
                         {"confidence", score.options.confidence},
                         {"seed", score.options.seed}};
  if (alignments)
    for (const UtteranceScore& utterance : score.utterances)
      result["alignments"].push_back({{"id", utterance.id},
                                      {"speaker", utterance.speaker},
                                      {"words", counts_json(utterance.words)},
                                      {"alignment", alignment_json(utterance.alignment)}});
  return result;
}

std::string to_text(const SetScore& score) {
  std::string text = fmt::format(
      "{:<11}{:>10}{:>9}{:>11}   {:<17}{:>7}{:>7}{:>7}\n", "", "reference", "errors", "rate",
      fmt::format("{:g} % interval", 100 * score.options.confidence), "sub", "ins", "del");
  text += counts_row(
      "words", score.words,
      fmt::format("{:.2f} - {:.2f} %", 100 * score.interval.low, 100 * score.interval.high));
  text += counts_row("characters", score.characters, "");
  text += fmt::format("{} of {} utterances wrong; interval from {} draws of {} {}\n",
                      score.wrong_utterances, score.utterances.size(), score.options.draws,
                      score.units, score.options.by_speaker ? "speakers" : "utterances");
  if (const int64_t count = count_case_errors(score.utterances); count > 0)
    text += fmt::format("{} of the {} word errors differ in letter case only: --case lower\n",
                        count, score.words.errors());
  if (!score.missing.empty())
    text += fmt::format("{} without a hypothesis, scored as empty: {}\n", score.missing.size(),
                        name_ids(score.missing));
  return text;
}

std::string to_text(const UtteranceScore& utterance) {
  std::string reference = "  ref", hypothesis = "  hyp", marks = "     ";
  for (const AlignedWord& word : utterance.alignment) {
    const size_t reference_width = split_characters(word.reference).size();
    const size_t hypothesis_width = split_characters(word.hypothesis).size();
    const size_t width = std::max(reference_width, hypothesis_width);
    const auto pad = [&](size_t used, char c = ' ') { return std::string(width - used, c); };
    reference +=
        ' ' + word.reference + pad(reference_width, word.edit == Edit::insertion ? '*' : ' ');
    hypothesis +=
        ' ' + word.hypothesis + pad(hypothesis_width, word.edit == Edit::deletion ? '*' : ' ');
    marks += fmt::format(" {}{}", " SID"[static_cast<int>(word.edit)], pad(1));
  }
  marks.erase(marks.find_last_not_of(' ') + 1);
  return fmt::format("{}: {} errors in {} words\n{}\n{}\n{}\n", utterance.id,
                     utterance.words.errors(), utterance.words.reference_length(), reference,
                     hypothesis, marks);
}

}  // namespace scion
