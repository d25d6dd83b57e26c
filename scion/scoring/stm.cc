#include "scion/scoring/stm.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/scoring/content_lines.h"
#include "scion/scoring/marked_text.h"
#include "scion/text/normalisation.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

std::string folded(std::string_view text) {
  return normalise_text(text, {.letter_case = LetterCase::lower});
}

double time_of(std::string_view field, const char* what, const std::string& where) {
  const std::optional<double> value = parse_seconds(field);
  if (!value)
    throw UserError(fmt::format("the {} is '{}' in {}", what, field, where),
                    "write: file channel speaker begin end [<label>] word word …");
  return *value;
}

StmSegment parse_line(const ContentLine& line) {
  std::string_view rest = line.text;
  const auto next = [&] {
    const FirstWord split = split_first_word(rest);
    rest = split.rest;
    return split.word;
  };
  StmSegment segment;
  segment.file = next(), segment.channel = next(), segment.speaker = next();
  segment.begin = time_of(next(), "begin", line.where);
  segment.end = time_of(next(), "end", line.where);
  if (segment.end < segment.begin)
    throw UserError(fmt::format("the end, {:g} s, is before the begin, {:g} s, in {}", segment.end,
                                segment.begin, line.where),
                    "mend the times of the segment");
  const FirstWord label = split_first_word(rest);
  if (label.word.starts_with('<') && label.word.ends_with('>')) rest = label.rest;
  segment.text = fmt::format("{}", fmt::join(split_words(rest), " "));
  segment.scored = folded(segment.text).find("ignore_time_segment_in_scoring") == std::string::npos;
  parse_marked_text(segment.text, Role::reference, line.where);  // refuses bad marks
  return segment;
}

using ChannelName = std::pair<std::string, std::string>;

// The channel of words that belongs to a channel of segments, by ever weaker equality of names.
class WordsFinder {
 public:
  WordsFinder(const std::vector<StmSegment>& segments, const std::vector<CtmChannel>& channels) {
    for (const CtmChannel& channel : channels) {
      exact_[{channel.file, channel.channel}] = &channel;
      folded_[{folded(channel.file), folded(channel.channel)}].push_back(&channel);
      of_file_[folded(channel.file)].push_back(&channel);
    }
    for (const StmSegment& segment : segments)
      channels_of_segments_[folded(segment.file)][folded(segment.channel)] = true;
  }

  const CtmChannel* find(const StmSegment& segment) const {
    const auto exact = exact_.find({segment.file, segment.channel});
    if (exact != exact_.end()) return exact->second;
    const std::string file = folded(segment.file);
    const auto same = folded_.find({file, folded(segment.channel)});
    if (same != folded_.end()) return same->second.size() == 1 ? same->second[0] : nullptr;
    const auto only = of_file_.find(file);
    const bool one_each = only != of_file_.end() && only->second.size() == 1 &&
                          channels_of_segments_.at(file).size() == 1;
    return one_each ? only->second[0] : nullptr;
  }

 private:
  std::map<ChannelName, const CtmChannel*> exact_;
  std::map<ChannelName, std::vector<const CtmChannel*>> folded_;
  std::map<std::string, std::vector<const CtmChannel*>> of_file_;
  std::map<std::string, std::map<std::string, bool>> channels_of_segments_;
};

// The segments of each channel, as their numbers in the order of their begins.
std::vector<std::vector<size_t>> by_channel(const std::vector<StmSegment>& segments) {
  std::map<ChannelName, size_t> places;
  std::vector<std::vector<size_t>> groups;
  for (size_t i = 0; i < segments.size(); ++i) {
    const auto [entry, is_new] =
        places.try_emplace({segments[i].file, segments[i].channel}, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].push_back(i);
  }
  for (std::vector<size_t>& group : groups)
    std::stable_sort(group.begin(), group.end(),
                     [&](size_t a, size_t b) { return segments[a].begin < segments[b].begin; });
  return groups;
}

// The words of each segment; none of segments whose channel has no words.
std::vector<std::vector<const CtmWord*>> share_words(const std::vector<StmSegment>& segments,
                                                     const std::vector<size_t>& group,
                                                     const CtmChannel& channel) {
  std::vector<std::vector<const CtmWord*>> words(group.size());
  size_t next = 0;
  for (size_t k = 0; k < group.size(); ++k) {
    const bool is_last = k + 1 == group.size();
    while (next < channel.words.size() &&
           (is_last || channel.words[next].middle < segments[group[k]].end))
      words[k].push_back(&channel.words[next++]);
  }
  return words;
}

std::string joined(const std::vector<const CtmWord*>& words) {
  std::string text;
  for (const CtmWord* word : words) text += (text.empty() ? "" : " ") + word->text;
  return text;
}

}  // namespace

std::vector<StmSegment> parse_stm(std::string_view content, const std::string& place) {
  std::vector<StmSegment> segments;
  for (const ContentLine& line : uncommented_lines(content, place))
    segments.push_back(parse_line(line));
  if (segments.empty())
    throw UserError(fmt::format("no transcripts in {}", place),
                    "write: file channel speaker begin end word word …");
  return segments;
}

TranscriptPair match_by_time(const std::vector<StmSegment>& segments,
                             const std::vector<CtmChannel>& channels) {
  TranscriptPair pair;
  const WordsFinder finder(segments, channels);
  std::unordered_map<std::string, int64_t> numbers;  // of each speaker's segments
  std::map<const CtmChannel*, bool> used;
  int64_t ignored_segments = 0;
  size_t ignored_words = 0;
  for (const std::vector<size_t>& group : by_channel(segments)) {
    const CtmChannel* channel = finder.find(segments[group[0]]);
    if (used.contains(channel)) channel = nullptr;
    std::vector<std::vector<const CtmWord*>> words(group.size());
    if (channel != nullptr) words = share_words(segments, group, *channel), used[channel] = true;
    for (size_t k = 0; k < group.size(); ++k) {
      const StmSegment& segment = segments[group[k]];
      if (!segment.scored) {
        ++ignored_segments, ignored_words += words[k].size();
        continue;
      }
      const std::string id = fmt::format("{}-{:03}", segment.speaker, numbers[segment.speaker]++);
      pair.references.push_back({id, segment.text, segment.speaker, true});
      if (channel != nullptr) pair.hypotheses.push_back({id, joined(words[k]), "", true});
    }
  }
  for (const CtmChannel& channel : channels)
    if (!used.contains(&channel))
      pair.hypotheses.push_back(
          {fmt::format("file {}, channel {}", channel.file, channel.channel), "", "", true});
  if (ignored_segments > 0)
    log_info("{} segments with {} words are not scored (ignore_time_segment_in_scoring)",
             ignored_segments, ignored_words);
  return pair;
}

}  // namespace scion
