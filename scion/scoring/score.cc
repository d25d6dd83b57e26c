#include "scion/scoring/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/scoring/nist.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

using nlohmann::json;

std::string json_text(const json& value, const std::string& key, const std::string& place) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  throw UserError(fmt::format("'{}' is {} in {}, not text", key, value.type_name(), place));
}

Transcript parse_json_line(std::string_view line, Role role, const std::string& place) {
  json object;
  try {
    object = json::parse(line);
  } catch (const json::exception&) {  // numbers beyond a double's range, too
    throw UserError(fmt::format("{} is not JSON", place), "write one JSON object a line");
  }
  const auto first_of = [&](std::vector<std::string> keys) {
    if (object.is_object())
      for (const std::string& key : keys)
        if (object.contains(key)) return json_text(object[key], key, place);
    throw UserError(fmt::format("'{}' is missing in {}", fmt::join(keys, "' or '"), place),
                    "give every line an id and a text");
  };
  Transcript transcript;
  transcript.id = first_of({"id", "audio_filepath"});
  transcript.text = role == Role::hypothesis ? first_of({"pred_text", "text"}) : first_of({"text"});
  if (object.contains("speaker"))
    transcript.speaker = json_text(object["speaker"], "speaker", place);
  return transcript;
}

Transcript parse_kaldi_line(std::string_view line) {
  const size_t end = std::min(line.find_first_of(" \t"), line.size());
  Transcript transcript{std::string(line.substr(0, end)), std::string(strip(line.substr(end)))};
  std::replace(transcript.text.begin(), transcript.text.end(), '\t', ' ');
  return transcript;
}

std::string name_ids(const std::vector<std::string>& ids) {
  constexpr size_t shown = 5;
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), shown));
  std::string text = fmt::format("{}", fmt::join(ids.begin(), end, ", "));
  if (ids.size() > shown) text += fmt::format(" and {} more", ids.size() - shown);
  return text;
}

using TranscriptsById = std::unordered_map<std::string_view, const Transcript*>;

TranscriptsById by_id(const std::vector<Transcript>& transcripts, const char* what) {
  TranscriptsById result;
  for (const Transcript& transcript : transcripts)
    if (!result.emplace(transcript.id, &transcript).second)
      throw UserError(fmt::format("id '{}' occurs twice among the {}", transcript.id, what));
  return result;
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
  if ((options.by_speaker || options.need_speakers) && reference.speaker.empty())
    throw UserError(fmt::format("the speaker of reference '{}' is not known", reference.id),
                    "give references as JSON lines with 'speaker', or take speakers from ids "
                    "(--speakers-from-ids: the part before the first '-')");
  return reference.speaker;
}

UtteranceScore score_utterance(const Transcript& reference, std::string_view hypothesis,
                               const ScoreOptions& options) {
  return score_texts(reference.id, speaker_of(reference, options),
                     normalise_text(reference.text, options.text),
                     normalise_text(hypothesis, options.text));
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

std::vector<Transcript> parse_transcripts(std::string_view content, Role role,
                                          const std::string& place) {
  std::vector<Transcript> transcripts;
  std::unordered_set<std::string> ids;
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // a byte order mark
  const std::string_view body = strip(content);
  const bool is_json = body.starts_with('{');
  for (size_t start = 0, number = 1; start < content.size(); ++number) {
    const size_t end = std::min(content.find('\n', start), content.size());
    const std::string_view line = strip(content.substr(start, end - start));
    start = end + 1;
    if (line.empty()) continue;
    const std::string where = fmt::format("line {} of {}", number, place);
    transcripts.push_back(is_json ? parse_json_line(line, role, where) : parse_kaldi_line(line));
    if (!ids.insert(transcripts.back().id).second)
      throw UserError(fmt::format("id '{}' occurs again in {}", transcripts.back().id, where),
                      "give every utterance its own id");
  }
  if (transcripts.empty())
    throw UserError(fmt::format("no transcripts in {}", place),
                    "one utterance a line: 'id word word …' or a JSON object");
  return transcripts;
}

std::vector<std::string> transcript_formats() { return {"auto", "text", "trn", "ctm"}; }

std::vector<Transcript> read_transcripts(const std::filesystem::path& path, Role role,
                                         const std::string& format) {
  const std::string extension = path.extension().string();
  const std::string place = path.string();
  if (format == "auto" && extension == ".stm")
    throw UserError(fmt::format("{}: .stm is not read", place), "write it as .trn");
  const auto is = [&](const std::string& name) {
    return format == name || (format == "auto" && extension == "." + name);
  };
  const std::string content = read_file(path);
  if (is("trn")) return parse_trn(content, place);
  if (is("ctm")) return parse_ctm(content, place);
  return parse_transcripts(content, role, place);
}

std::string speaker_of_id(const std::string& id) { return id.substr(0, id.find('-')); }

SetScore score(const std::vector<Transcript>& references, const std::vector<Transcript>& hypotheses,
               const ScoreOptions& options) {
  const TranscriptsById reference_of = by_id(references, "references");
  const TranscriptsById hypothesis_of = by_id(hypotheses, "hypotheses");
  const std::vector<std::string> extra = ids_not_in(reference_of, hypotheses);
  if (!extra.empty())
    throw UserError(
        fmt::format("{} hypotheses have no reference: {}", extra.size(), name_ids(extra)),
        "score hypotheses against the references of the same set");
  SetScore result;
  result.options = options;
  result.missing = ids_not_in(hypothesis_of, references);
  if (!result.missing.empty() && !options.missing_as_empty)
    throw UserError(fmt::format("{} of {} references have no hypothesis: {}", result.missing.size(),
                                references.size(), name_ids(result.missing)),
                    "add them, or score them as empty with --missing-as-empty");
  for (const Transcript& reference : references) {
    const auto hypothesis = hypothesis_of.find(reference.id);
    const std::string_view text =
        hypothesis == hypothesis_of.end() ? std::string_view() : hypothesis->second->text;
    result.utterances.push_back(score_utterance(reference, text, options));
    result.add(result.utterances.back());
  }
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
    reference += ' ' + word.reference + pad(reference_width, word.reference.empty() ? '*' : ' ');
    hypothesis +=
        ' ' + word.hypothesis + pad(hypothesis_width, word.hypothesis.empty() ? '*' : ' ');
    marks += fmt::format(" {}{}", " SID"[static_cast<int>(word.edit)], pad(1));
  }
  marks.erase(marks.find_last_not_of(' ') + 1);
  return fmt::format("{}: {} errors in {} words\n{}\n{}\n{}\n", utterance.id,
                     utterance.words.errors(), utterance.words.reference_length(), reference,
                     hypothesis, marks);
}

}  // namespace scion
