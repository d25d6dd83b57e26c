#include "scion/scoring/sclite.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "scion/text/utf8.h"

namespace scion {
namespace {

std::string in_capitals(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

double share(int64_t count, int64_t total) {
  return total == 0 ? 0 : 100 * static_cast<double>(count) / static_cast<double>(total);
}

std::string speaker_row(const SpeakerScore& score, size_t width) {
  const auto of_words = [&](int64_t count) { return share(count, score.words.reference_length()); };
  // By hand: the names are padded by characters, not bytes.
  const std::string padding(width - split_characters(score.speaker).size(), ' ');
  return fmt::format("{}{}  {:>6} {:>7}  {:>6.1f} {:>6.1f} {:>6.1f} {:>6.1f} {:>6.1f} {:>6.1f}\n",
                     score.speaker, padding, score.utterances, score.words.reference_length(),
                     of_words(score.words.hits), of_words(score.words.substitutions),
                     of_words(score.words.deletions), of_words(score.words.insertions),
                     of_words(score.words.errors()),
                     share(score.wrong_utterances, score.utterances));
}

SpeakerScore sum_of(const std::vector<SpeakerScore>& speakers) {
  SpeakerScore sum{"all"};
  for (const SpeakerScore& speaker : speakers) {
    sum.utterances += speaker.utterances;
    sum.wrong_utterances += speaker.wrong_utterances;
    sum.words += speaker.words;
  }
  return sum;
}

using PairCounts = std::map<std::pair<std::string, std::string>, int64_t>;

std::vector<Confusion> most_frequent_first(const PairCounts& counts) {
  std::vector<Confusion> list;
  for (const auto& [pair, count] : counts) list.push_back({pair.first, pair.second, count});
  std::stable_sort(list.begin(), list.end(),
                   [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  return list;
}

std::string confusion_list(const char* title, const std::vector<Confusion>& list, size_t shown) {
  int64_t total = 0;
  for (const Confusion& confusion : list) total += confusion.count;
  std::string text = fmt::format("{} ({}, {} different)\n", title, total, list.size());
  for (size_t i = 0; i < std::min(shown, list.size()); ++i) {
    const Confusion& confusion = list[i];
    const bool both = !confusion.reference.empty() && !confusion.hypothesis.empty();
    text += fmt::format("{:>7}  {}{}{}\n", confusion.count, confusion.reference, both ? " → " : "",
                        confusion.hypothesis);
  }
  return text;
}

nlohmann::json confusion_json(const std::vector<Confusion>& list, size_t shown) {
  nlohmann::json json = nlohmann::json::array();
  for (size_t i = 0; i < std::min(shown, list.size()); ++i) {
    nlohmann::json& entry = json.emplace_back();
    if (!list[i].reference.empty()) entry["reference"] = list[i].reference;
    if (!list[i].hypothesis.empty()) entry["hypothesis"] = list[i].hypothesis;
    entry["count"] = list[i].count;
  }
  return json;
}

}  // namespace

std::string sclite_text(const UtteranceScore& utterance, Capitals capitals) {
  std::string reference = "REF:  ", hypothesis = "HYP:  ", marks = "Eval: ";
  for (const AlignedWord& word : utterance.alignment) {
    const size_t reference_width = split_characters(word.reference).size();
    const size_t hypothesis_width = split_characters(word.hypothesis).size();
    const size_t width = std::max(reference_width, hypothesis_width);
    const bool raised = word.edit != Edit::hit && capitals == Capitals::wrong_words;
    const auto add = [&](std::string& line, const std::string& text, size_t used, Edit missing) {
      line += (raised ? in_capitals(text) : text) +
              std::string(width - used, word.edit == missing ? '*' : ' ') + ' ';
    };
    add(reference, word.reference, reference_width, Edit::insertion);
    add(hypothesis, word.hypothesis, hypothesis_width, Edit::deletion);
    marks += " SID"[static_cast<int>(word.edit)] + std::string(width, ' ');
  }
  const ErrorCounts& counts = utterance.words;
  return fmt::format("id: ({})\nScores: (#C #S #D #I) {} {} {} {}\n{}\n{}\n{}\n", utterance.id,
                     counts.hits, counts.substitutions, counts.deletions, counts.insertions,
                     reference, hypothesis, marks);
}

std::vector<SpeakerScore> scores_by_speaker(const SetScore& score) {
  std::vector<SpeakerScore> speakers;
  std::unordered_map<std::string, size_t> place;
  for (const UtteranceScore& utterance : score.utterances) {
    const auto [entry, is_new] = place.emplace(utterance.speaker, speakers.size());
    if (is_new) speakers.push_back({utterance.speaker});
    SpeakerScore& speaker = speakers[entry->second];
    ++speaker.utterances;
    speaker.wrong_utterances += utterance.words.errors() > 0;
    speaker.words += utterance.words;
  }
  return speakers;
}

std::string speaker_table(const std::vector<SpeakerScore>& speakers) {
  size_t width = 7;
  for (const SpeakerScore& speaker : speakers)
    width = std::max(width, split_characters(speaker.speaker).size());
  std::string text =
      fmt::format("{:<{}}  {:>6} {:>7}  {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}\n", "speaker", width,
                  "# Snt", "# Wrd", "Corr", "Sub", "Del", "Ins", "Err", "S.Err");
  for (const SpeakerScore& speaker : speakers) text += speaker_row(speaker, width);
  return text + speaker_row(sum_of(speakers), width);
}

Confusions count_confusions(const std::vector<UtteranceScore>& utterances) {
  PairCounts counts[4];
  for (const UtteranceScore& utterance : utterances)
    for (const AlignedWord& word : utterance.alignment)
      ++counts[static_cast<size_t>(word.edit)][{word.reference, word.hypothesis}];
  const auto of = [&](Edit edit) { return most_frequent_first(counts[static_cast<size_t>(edit)]); };
  return {of(Edit::substitution), of(Edit::insertion), of(Edit::deletion)};
}

std::string to_text(const Confusions& confusions, size_t shown) {
  return confusion_list("confused", confusions.substitutions, shown) +
         confusion_list("inserted", confusions.insertions, shown) +
         confusion_list("deleted", confusions.deletions, shown);
}

nlohmann::json to_json(const std::vector<SpeakerScore>& speakers) {
  nlohmann::json list = nlohmann::json::array();
  for (const SpeakerScore& speaker : speakers)
    list.push_back({{"speaker", speaker.speaker},
                    {"utterances", speaker.utterances},
                    {"wrong_utterances", speaker.wrong_utterances},
                    {"words", speaker.words.reference_length()},
                    {"hits", speaker.words.hits},
                    {"substitutions", speaker.words.substitutions},
                    {"deletions", speaker.words.deletions},
                    {"insertions", speaker.words.insertions},
                    {"wer", 100 * speaker.words.rate()}});
  return list;
}

nlohmann::json to_json(const Confusions& confusions, size_t shown) {
  return {{"substitutions", confusion_json(confusions.substitutions, shown)},
          {"insertions", confusion_json(confusions.insertions, shown)},
          {"deletions", confusion_json(confusions.deletions, shown)}};
}

}  // namespace scion
