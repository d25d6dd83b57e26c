// Transcripts in the formats of NIST's scoring tools: .trn (text, then the id in parentheses) and
// .ctm (one timed word a line).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scion/scoring/score.h"
#include "scion/text/timed_word.h"

namespace scion {

/// `word word … (id)`, one utterance a line; lines that begin with ";;" are comments.
/// UserError naming the line: no id, an id twice, and marks that sclite does not read as plain
/// words, so that both count the same errors: alternatives `{ a / b }`, the null word `@`, optional
/// words
/// `(a)`.
std::vector<Transcript> parse_trn(std::string_view content, const std::string& place);

/// `file channel start duration word [confidence]`, seconds; ";;" comments. Lines of one file are
/// an utterance, its words in the order of their starts. UserError naming the line: fields missing
/// or not numbers, two channels of one file, alternatives `<ALT_BEGIN>`.
std::vector<Transcript> parse_ctm(std::string_view content, const std::string& place);

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
