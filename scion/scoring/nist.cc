#include "scion/scoring/nist.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "scion/core/error.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

// Calls `take(line, place)` for every line that is neither empty nor a comment.
void for_each_line(std::string_view content, const std::string& place,
                   const std::function<void(const std::string&, const std::string&)>& take) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // a byte order mark
  for (size_t start = 0, number = 1; start < content.size(); ++number) {
    const size_t end = std::min(content.find('\n', start), content.size());
    std::string line(strip(content.substr(start, end - start)));
    start = end + 1;
    std::replace(line.begin(), line.end(), '\t', ' ');
    if (!line.empty() && !line.starts_with(";;"))
      take(line, fmt::format("line {} of {}", number, place));
  }
}

void refuse_marks(const std::vector<std::string>& words, const std::string& place) {
  for (const std::string& word : words)
    if (word == "@" || word.starts_with('{') || word.ends_with('}') ||
        (word.starts_with('(') && word.ends_with(')')))
      throw UserError(
          fmt::format("'{}' in {} is a mark for alternatives, not a word", word, place),
          "write one wording an utterance: alternatives { a / b }, @ and optional (words) are "
          "not scored");
}

double seconds_of(const std::string& field, const std::string& what, const std::string& place) {
  double value = 0;
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= 0))
    throw UserError(fmt::format("the {} is '{}' in {}", what, field, place),
                    "file channel start duration word [confidence], times in seconds");
  return value;
}

void require_writable(const std::string& id) {
  if (id.empty() || id.find_first_of(" \t\n()") != std::string::npos || id.starts_with(";;"))
    throw UserError(fmt::format("the id '{}' cannot be written to a .trn or .ctm file", id),
                    "choose ids without spaces and parentheses, or write JSON lines");
}

void require_some(const std::vector<Transcript>& transcripts, const std::string& place,
                  const char* form) {
  if (transcripts.empty())
    throw UserError(fmt::format("no transcripts in {}", place), fmt::format("write {}", form));
}

// A file's words with their starts, until all are known.
struct CtmFile {
  std::string id, channel;
  std::vector<TimedWord> words;
};

Transcript joined(CtmFile& file) {
  std::stable_sort(file.words.begin(), file.words.end(),
                   [](const TimedWord& a, const TimedWord& b) { return a.start < b.start; });
  Transcript transcript{file.id, ""};
  for (const TimedWord& word : file.words)
    transcript.text += (transcript.text.empty() ? "" : " ") + word.word;
  return transcript;
}

}  // namespace

std::vector<Transcript> parse_trn(std::string_view content, const std::string& place) {
  std::vector<Transcript> transcripts;
  std::unordered_set<std::string> ids;
  for_each_line(content, place, [&](const std::string& line, const std::string& where) {
    const size_t open = line.rfind('(');
    if (open == std::string::npos || line.back() != ')' || open + 2 >= line.size())
      throw UserError(fmt::format("no id in parentheses at the end of {}", where),
                      "write: word word … (id)");
    Transcript transcript{line.substr(open + 1, line.size() - open - 2),
                          std::string(strip(std::string_view(line).substr(0, open)))};
    refuse_marks(split_words(transcript.text), where);
    if (!ids.insert(transcript.id).second)
      throw UserError(fmt::format("id '{}' occurs again in {}", transcript.id, where),
                      "give every utterance its own id");
    transcripts.push_back(std::move(transcript));
  });
  require_some(transcripts, place, "one utterance a line: word word … (id)");
  return transcripts;
}

std::vector<Transcript> parse_ctm(std::string_view content, const std::string& place) {
  std::vector<CtmFile> files;
  std::unordered_map<std::string, size_t> index;
  for_each_line(content, place, [&](const std::string& line, const std::string& where) {
    const std::vector<std::string> fields = split_words(line);
    if (fields.size() != 5 && fields.size() != 6)
      throw UserError(fmt::format("{} fields in {}", fields.size(), where),
                      "write: file channel start duration word [confidence]");
    if (fields[4].starts_with("<ALT"))
      throw UserError(fmt::format("alternatives ({}) in {}", fields[4], where),
                      "write one wording an utterance");
    const double start = seconds_of(fields[2], "start", where);
    const double duration = seconds_of(fields[3], "duration", where);
    if (fields.size() == 6 && fields[5] != "NA") seconds_of(fields[5], "confidence", where);
    const auto [entry, is_new] = index.emplace(fields[0], files.size());
    if (is_new) files.push_back({fields[0], fields[1], {}});
    CtmFile& file = files[entry->second];
    if (file.channel != fields[1])
      throw UserError(
          fmt::format("'{}' has channels {} and {} in {}", file.id, file.channel, fields[1], where),
          "give every channel its own file name");
    refuse_marks({fields[4]}, where);
    file.words.push_back({fields[4], start, duration});
  });
  std::vector<Transcript> transcripts;
  for (CtmFile& file : files) transcripts.push_back(joined(file));
  require_some(transcripts, place, "one word a line: file channel start duration word");
  return transcripts;
}

std::string to_trn(const std::vector<Transcript>& transcripts) {
  std::string lines;
  for (const Transcript& transcript : transcripts) {
    require_writable(transcript.id);
    // It would be read as a comment, or as the file's byte order mark.
    if (transcript.text.starts_with(";;") || transcript.text.starts_with("\xEF\xBB\xBF"))
      throw UserError(fmt::format("the text of '{}' cannot begin a line of a .trn file: {}",
                                  transcript.id, transcript.text),
                      "normalise the texts, or write JSON lines");
    lines += fmt::format("{}{}({})\n", transcript.text, transcript.text.empty() ? "" : " ",
                         transcript.id);
  }
  return lines;
}

std::string to_ctm(const std::vector<TimedTranscript>& transcripts) {
  std::string lines;
  for (const TimedTranscript& transcript : transcripts) {
    require_writable(transcript.id);
    if (transcript.words.empty()) lines += fmt::format(";; {} has no words\n", transcript.id);
    for (const TimedWord& word : transcript.words)
      lines += fmt::format("{} 1 {:.3f} {:.3f} {}\n", transcript.id, word.start, word.duration,
                           word.word);
  }
  return lines;
}

}  // namespace scion
