#include "scion/scoring/nist.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/scoring/content_lines.h"
#include "scion/scoring/marked_text.h"
#include "scion/text/normalisation.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

bool may_have_marks(std::string_view text) {
  return text.find_first_of("{}();\\@*") != std::string_view::npos;
}

double seconds_of(const std::string& field, const std::string& what, const std::string& place) {
  const std::optional<double> value = parse_seconds(field);
  if (!value)
    throw UserError(fmt::format("the {} is '{}' in {}", what, field, place),
                    "file channel start duration word [confidence], times in seconds");
  return *value;
}

void require_writable(const std::string& id) {
  if (id.empty() || id.find_first_of(" \t\n()") != std::string::npos || id.starts_with(";;"))
    throw UserError(fmt::format("the id '{}' cannot be written to a .trn or .ctm file", id),
                    "choose ids without spaces and parentheses, or write JSON lines");
}

void require_some(size_t count, const std::string& place, const char* form) {
  if (count == 0)
    throw UserError(fmt::format("no transcripts in {}", place), fmt::format("write {}", form));
}

// How far words may step back in time before they can be another recording's.
constexpr double longest_step_back = 1;

// Puts lines into channels. Of every channel it knows which times have words, and the alternatives
// that are open.
class CtmReader {
 public:
  CtmReader(const std::string& place, Role role) : place_(place), role_(role) {}

  void read(const ContentLine& line) {
    const std::vector<std::string> fields = split_words(line.text);
    if (fields.size() < 5 || fields.size() > 7)
      throw UserError(fmt::format("{} fields in {}", fields.size(), line.where),
                      "write: file channel start duration word [confidence]");
    State& state = state_of(fields[0], fields[1]);
    const std::string mark = normalise_text(fields[4], {.letter_case = LetterCase::lower});
    if (mark.starts_with("<alt"))
      read_mark(mark, state, line.where);
    else
      read_word(fields, state, line.where);
  }

  std::vector<CtmChannel> finish() {
    for (const auto& [key, state] : states_)
      if (!state.alternatives.empty())
        throw UserError(fmt::format("no <ALT_END> for the <ALT_BEGIN> of '{}' in {}",
                                    channels_[state.channel].file, place_),
                        "end the alternatives");
    if (steps_back_ > 0)
      log_warning(
          "{} words start before the word above them, the first in {}: the order of the "
          "lines is kept",
          steps_back_, first_step_back_);
    return std::move(channels_);
  }

 private:
  struct State {
    size_t channel;
    std::string alternatives;        // "{ a /" while they are open
    double middle = 0;               // the latest of the open alternatives
    double latest = 0;               // the latest start so far
    std::map<double, double> times;  // start and end of each word
  };

  State& state_of(const std::string& file, const std::string& channel) {
    const auto [entry, is_new] = states_.try_emplace({file, channel}, State{channels_.size()});
    if (is_new) channels_.push_back({file, channel, {}});
    return entry->second;
  }

  void read_mark(const std::string& mark, State& state, const std::string& where) {
    std::string& open = state.alternatives;
    const bool begins = mark == "<alt_begin>";
    if ((!begins && mark != "<alt>" && mark != "<alt_end>") || begins != open.empty())
      throw UserError(fmt::format("{} is out of place in {}", mark, where),
                      "write: <ALT_BEGIN>, words, <ALT>, words, <ALT_END>");
    if (begins) {
      open = "{", state.middle = 0;
      return;
    }
    if (open.back() == '{' || open.back() == '/') open += " @";  // an alternative without words
    open += mark == "<alt>" ? " /" : " }";
    if (mark == "<alt_end>") add(std::exchange(open, ""), state.middle, state);
  }

  void read_word(const std::vector<std::string>& fields, State& state, const std::string& where) {
    const double start = seconds_of(fields[2], "start", where);
    const double duration = seconds_of(fields[3], "duration", where);
    if (fields.size() > 5 && fields[5] != "NA") seconds_of(fields[5], "confidence", where);
    parse_marked_text(fields[4], role_, where);  // refuses bad marks
    const double middle = start + duration / 2;
    if (state.alternatives.empty()) {
      check_time(state, start, start + duration, where);
      add(fields[4], middle, state);
      return;
    }
    if (fields[4].find_first_of("/{}") != std::string::npos)
      throw UserError(fmt::format("'{}' among alternatives in {}", fields[4], where),
                      "write one word a line, without braces and slashes");
    state.alternatives += ' ' + fields[4];
    state.middle = std::max(state.middle, middle);
  }

  void add(std::string text, double middle, const State& state) {
    channels_[state.channel].words.push_back({std::move(text), middle});
  }

  // Several recordings of one name would be scored as one: their words lie at the same times.
  void check_time(State& state, double start, double end, const std::string& where) {
    if (start < state.latest) {
      if (steps_back_++ == 0) first_step_back_ = where;
      if (start <= state.latest - longest_step_back && overlaps(state.times, start, end))
        throw UserError(
            fmt::format("the words of '{}', channel {}, go back from {:.2f} to {:.2f} s in {}, "
                        "where there are words already: two recordings of one name?",
                        channels_[state.channel].file, channels_[state.channel].channel,
                        state.latest, start, where),
            "give every recording its own name, or sort the file by file, channel and start");
    }
    state.latest = std::max(state.latest, start);
    double& last = state.times[start];
    last = std::max(last, end);
  }

  // Whether the time shares more than half of itself with a word before.
  static bool overlaps(const std::map<double, double>& times, double start, double end) {
    const auto next = times.lower_bound(start);
    const auto shared = [&](const auto& word) {
      return std::min(end, word->second) - std::max(start, word->first) > (end - start) / 2;
    };
    return (next != times.end() && (next->first == start || shared(next))) ||
           (next != times.begin() && shared(std::prev(next)));
  }

  const std::string& place_;
  Role role_;
  std::vector<CtmChannel> channels_;
  std::map<std::pair<std::string, std::string>, State> states_;
  int64_t steps_back_ = 0;
  std::string first_step_back_;
};

}  // namespace

std::vector<Transcript> parse_trn(std::string_view content, const std::string& place, Role role) {
  std::vector<Transcript> transcripts;
  std::unordered_set<std::string> ids;
  for (const ContentLine& line : uncommented_lines(content, place)) {
    const size_t open = line.text.rfind('(');
    const std::string_view id =
        open == std::string_view::npos || line.text.back() != ')'
            ? std::string_view()
            : strip(line.text.substr(open + 1, line.text.size() - open - 2));
    if (id.empty())
      throw UserError(fmt::format("no id in parentheses at the end of {}", line.where),
                      "write: word word … (id)");
    const std::vector<std::string> words = split_words(line.text.substr(0, open));
    Transcript transcript{std::string(id), fmt::format("{}", fmt::join(words, " "))};
    transcript.marked = may_have_marks(transcript.text);
    if (transcript.marked) parse_marked_text(transcript.text, role, line.where);
    if (!ids.insert(transcript.id).second)
      throw UserError(fmt::format("id '{}' occurs again in {}", transcript.id, line.where),
                      "give every utterance its own id");
    transcripts.push_back(std::move(transcript));
  }
  require_some(transcripts.size(), place, "one utterance a line: word word … (id)");
  return transcripts;
}

std::vector<CtmChannel> parse_ctm(std::string_view content, const std::string& place, Role role) {
  CtmReader reader(place, role);
  for (const ContentLine& line : uncommented_lines(content, place)) reader.read(line);
  std::vector<CtmChannel> channels = reader.finish();
  require_some(channels.size(), place, "one word a line: file channel start duration word");
  return channels;
}

std::set<std::string> files_of_several_channels(const std::vector<CtmChannel>& channels) {
  std::set<std::string> files, several;
  for (const CtmChannel& channel : channels)
    if (!files.insert(channel.file).second) several.insert(channel.file);
  return several;
}

std::string channel_id(const std::string& file, const std::string& channel,
                       const std::set<std::string>& several) {
  return several.contains(file) ? file + '-' + channel : file;
}

std::vector<Transcript> transcripts_of(const std::vector<CtmChannel>& channels,
                                       const std::set<std::string>& several) {
  std::vector<Transcript> transcripts;
  for (const CtmChannel& channel : channels) {
    Transcript& transcript =
        transcripts.emplace_back(Transcript{channel_id(channel.file, channel.channel, several)});
    for (const CtmWord& word : channel.words)
      transcript.text += (transcript.text.empty() ? "" : " ") + word.text;
    transcript.marked = may_have_marks(transcript.text);
  }
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
    const std::string text = transcript.marked ? transcript.text : escape_marks(transcript.text);
    lines += fmt::format("{}{}({})\n", text, text.empty() ? "" : " ", transcript.id);
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
                           escape_marks(word.word));
  }
  return lines;
}

}  // namespace scion
