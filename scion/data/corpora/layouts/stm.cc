#include <sstream>

#include "scion/core/files/folder_walk.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/layouts/corpus_sets.h"
#include "scion/data/corpora/layouts/layouts.h"
#include "scion/data/corpora/readers/audio_finder.h"
#include "scion/scoring/content_lines.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr auto stm_hint = "a line of an STM is: file channel speaker begin end [<label>] text";

bool is_stm_name(const std::string& name) { return name.ends_with(".stm"); }

double stm_seconds(const std::string& text, const std::string& where) {
  if (const std::optional<double> seconds = parse_seconds(text)) return *seconds;
  throw UserError(fmt::format("{}: '{}' is no time", where, text), stm_hint);
}

int64_t stm_channel(const std::string& text, const std::string& where) {
  if (text == "1" || text == "A" || text == "a") return 0;
  if (text == "2" || text == "B" || text == "b") return 1;
  throw UserError(fmt::format("{}: '{}' is no channel", where, text),
                  "channels of an STM are 1 and 2, or A and B");
}

/// How many lines were left out because they are no utterances to learn from.
struct StmCounts {
  size_t not_scored = 0, without_text = 0, not_transcribed = 0;
};

/// The word without the number of its pronunciation: "the(2)".
std::string plain_word(std::string word) {
  const size_t open = word.rfind('(');
  const bool number = open != std::string::npos && open > 0 && word.ends_with(")") &&
                      open + 2 < word.size() &&
                      word.find_first_not_of("0123456789", open + 1) == word.size() - 1;
  if (number) word.resize(open);
  return word;
}

/// The words of a line as a text; nullopt when the line is to be left out.
std::optional<std::string> stm_text(std::istringstream& words, const std::string& where,
                                    StmCounts& counts) {
  std::string text;
  bool first = true;
  for (std::string word; words >> word; first = false) {
    const bool tag = word.starts_with('<') && word.ends_with('>');
    if (tag && first && word != "<unk>") continue;  // the label
    if (word == "ignore_time_segment_in_scoring" || word == "IGNORE_TIME_SEGMENT_IN_SCORING")
      return ++counts.not_scored, std::nullopt;
    if (tag) return ++counts.not_transcribed, std::nullopt;
    if (word == "{" || word == "}" || word == "/")
      throw UserError(where + ": alternatives are for scoring, not for training",
                      "write one of them in place of { a / b }");
    if (word.starts_with('{') && word.ends_with('}')) continue;  // noise
    text += (text.empty() ? "" : " ") + plain_word(word);
  }
  if (text.empty()) return ++counts.without_text, std::nullopt;
  return text;
}

/// Reads files of one folder, whose audio lies beside them or beside their folder.
class StmReader {
 public:
  explicit StmReader(const fs::path& folder)
      : here_(folder),
        beside_(fs::absolute(folder / ".").lexically_normal().parent_path().parent_path()) {}

  void read(const fs::path& file) {
    TextLines lines(file);
    for (std::string line; lines.next(line);) {
      const size_t begin = line.find_first_not_of(" \t");
      if (begin == std::string::npos || line.compare(begin, 2, ";;") == 0) continue;
      try {
        read_line(line, lines.where());
      } catch (const UserError& error) {
        corpus_.skipped.push_back(skipped_for(error, lines.where()));
      }
    }
  }

  Corpus finished() && {
    const auto remark = [&](size_t count, const char* what) {
      if (count > 0)
        corpus_.remarks.push_back(fmt::format("{} segments {} are left out", count, what));
    };
    remark(counts_.not_scored, "that are not scored");
    remark(counts_.without_text, "without text");
    remark(counts_.not_transcribed, "with words that are not transcribed (<unk>)");
    return std::move(corpus_);
  }

 private:
  void read_line(const std::string& line, const std::string& where) {
    std::istringstream words(line);
    std::string name, channel, speaker, begin, end;
    if (!(words >> name >> channel >> speaker >> begin >> end))
      throw UserError(where + ": fields are missing", stm_hint);
    const auto text = stm_text(words, where, counts_);
    if (!text) return;
    Utterance utterance{.id = fmt::format("{}-{}-{}", name, channel, begin),
                        .audio = {},
                        .text = *text,
                        .speaker = speaker};
    utterance.part.begin_seconds = stm_seconds(begin, where);
    utterance.part.seconds = stm_seconds(end, where) - utterance.part.begin_seconds;
    utterance.part.channel = stm_channel(channel, where);
    if (utterance.part.seconds <= 0)
      throw UserError(fmt::format("{}: a segment from {} s to {} s", where, begin, end),
                      "its end must come after its beginning");
    utterance.seconds = utterance.part.seconds;
    const auto audio = here_.find(name);
    utterance.audio = audio ? *audio : beside_.find_or_name(name);
    corpus_.utterances.push_back(std::move(utterance));
  }

  AudioFinder here_, beside_;
  StmCounts counts_;
  Corpus corpus_;
};

/// The folder in which the .stm files of `folder` are.
fs::path stm_folder(const fs::path& folder) {
  return fs::is_directory(folder / "stm") ? folder / "stm" : folder;
}

bool has_stm(const fs::path& folder) {
  std::error_code not_listed;  // then it has none
  for (const auto& entry : fs::directory_iterator(stm_folder(folder), not_listed)) {
    const std::string name = entry.path().filename().string();
    if (is_stm_name(name) && !name.starts_with('.')) return true;
  }
  return false;
}

}  // namespace

bool is_stm(const fs::path& folder) { return has_stm(folder) || has_set(folder, has_stm); }

Corpus read_stm(const fs::path& source) {
  if (!fs::is_directory(source)) {
    StmReader reader(source.parent_path());
    reader.read(source);
    Corpus corpus = std::move(reader).finished();
    check_not_empty(corpus, source, stm_hint);
    return corpus;
  }
  if (!has_stm(source)) return read_stm(only_set(source, has_stm));
  StmReader reader(stm_folder(source));
  for (const fs::path& entry : entries_of(stm_folder(source)))
    if (is_stm_name(entry.filename().string())) reader.read(entry);
  Corpus corpus = std::move(reader).finished();
  check_not_empty(corpus, source, "name a file .stm, or a folder of them");
  return corpus;
}

}  // namespace scion
