// Transcripts in the formats of NIST's scoring tools: .trn (text, then the id in parentheses) and
// .ctm (one timed word a line).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scion/scoring/transcript.h"
#include "scion/text/timed_word.h"

namespace scion {

/// `word word … (id)`, one utterance a line, in the notation of marked_text.h; lines that begin
/// with ";;" are comments. UserError naming the line: no id, an id twice, a bad mark.
std::vector<Transcript> parse_trn(std::string_view content, const std::string& place,
                                  Role role = Role::reference);

/// A word, or alternatives, in the notation of marked_text.h.
struct CtmWord {
  std::string text;
  double middle;  ///< of its time, of alternatives the latest; seconds
};

/// One channel of a file, its words in the order of their lines, as sclite takes them.
struct CtmChannel {
  std::string file, channel;
  std::vector<CtmWord> words;
};

/// `file channel start duration word [confidence]`, seconds; ";;" comments; words between
/// <ALT_BEGIN>, <ALT> and <ALT_END> are alternatives. Channels in order of first appearance. Words
/// that step back in time are reported; UserError naming the line: fields missing or not numbers, a
/// bad mark, and words that step back by a second and more to a time that has words: two recordings
/// of one name.
std::vector<CtmChannel> parse_ctm(std::string_view content, const std::string& place,
                                  Role role = Role::reference);

/// Files of which one side has several channels.
std::set<std::string> files_of_several_channels(const std::vector<CtmChannel>& channels);

/// The id of a channel's words: the file, with the channel where there are several (`file-A`).
std::string channel_id(const std::string& file, const std::string& channel,
                       const std::set<std::string>& several);

/// Every channel is an utterance.
std::vector<Transcript> transcripts_of(const std::vector<CtmChannel>& channels,
                                       const std::set<std::string>& several);

/// UserError when the format cannot hold an id (spaces, parentheses), or a text would be read as a
/// comment.
std::string to_trn(const std::vector<Transcript>& transcripts);

struct TimedTranscript {
  std::string id;
  std::vector<TimedWord> words;
};

/// Channel 1, times to the millisecond. An utterance without words leaves a comment only.
std::string to_ctm(const std::vector<TimedTranscript>& transcripts);

}  // namespace scion
