// References in NIST's .stm, segments with their times, and the words of a .ctm that belong to
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scion/scoring/nist.h"
#include "scion/scoring/transcript.h"

namespace scion {

struct StmSegment {
  std::string file, channel, speaker;
  double begin = 0, end = 0;  ///< seconds
  std::string text;           ///< in the notation of marked_text.h
  bool scored = true;         ///< false: `ignore_time_segment_in_scoring`
};

/// `file channel speaker begin end [<label,…>] word word …`, ";;" comments. Labels do not change
/// the score. UserError naming the line: fields missing or not numbers, an end before its begin, a
/// bad mark, no segments.
std::vector<StmSegment> parse_stm(std::string_view content, const std::string& place);

/// Words to segments of their file and channel as sclite does: in order of their begins, a segment
/// takes the words whose middle is before its end, the last one all that are left; words of
/// segments that are not scored are dropped. Letter case of files and channels is ignored where
/// that is unambiguous, and the channel's name where both sides have one channel. Ids are sclite's,
/// `speaker-000`. Segments of channels without any word have no hypothesis; a channel of words
/// without segments is a hypothesis without a reference.
TranscriptPair match_by_time(const std::vector<StmSegment>& segments,
                             const std::vector<CtmChannel>& channels);

}  // namespace scion
