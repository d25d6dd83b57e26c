#include "scion/data/corpora/readers/kaldi_pipe.h"

#include <algorithm>
#include <vector>

namespace scion {
namespace {

using Words = std::vector<std::string>;

/// Splits a command into words as a shell does. nullopt where a shell would do more: variables,
/// patterns, further commands, redirections.
class ShellWords {
 public:
  explicit ShellWords(std::string_view command) : command_(command) {}

  std::optional<Words> split() {
    for (; at_ < command_.size(); ++at_) {
      const char c = command_[at_];
      if (c == ' ' || c == '\t')
        end_word();
      else if (c == '\'' || c == '"' ? !take_quoted(c) : !take_plain(c))
        return std::nullopt;
    }
    end_word();
    return words_;
  }

 private:
  void end_word() {
    if (in_word_) words_.push_back(std::move(word_));
    word_.clear();
    in_word_ = false;
  }

  bool take_quoted(char quote) {
    in_word_ = true;
    for (++at_; at_ < command_.size() && command_[at_] != quote; ++at_) {
      if (quote == '"' && std::string_view("$`\\").find(command_[at_]) != std::string_view::npos)
        return false;
      word_ += command_[at_];
    }
    return at_ < command_.size();
  }

  bool take_plain(char c) {
    if (std::string_view("$`*?[]{}()<>|&;!#~\n").find(c) != std::string_view::npos) return false;
    if (c == '\\' && ++at_ == command_.size()) return false;
    in_word_ = true;
    word_ += command_[at_];
    return true;
  }

  std::string_view command_;
  size_t at_ = 0;
  Words words_;
  std::string word_;
  bool in_word_ = false;
};

bool is_one_of(const std::string& word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// flac: decodes to its standard output.
std::optional<PipedFile> flac_file(const Words& words) {
  std::optional<PipedFile> file;
  bool decodes = false, to_output = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool letters =
        word.size() > 1 && word[0] == '-' && word.find_first_not_of("cdsf", 1) == std::string::npos;
    decodes |= word == "--decode" || (letters && word.find('d') != std::string::npos);
    to_output |= word == "--stdout" || (letters && word.find('c') != std::string::npos);
    if (letters || is_one_of(word, {"--decode", "--stdout", "--silent", "--totally-silent"}))
      continue;
    if (word.starts_with('-') || file) return std::nullopt;
    file = PipedFile{word};
  }
  return decodes && to_output ? file : std::nullopt;
}

/// sph2pipe: its channels count from 1; -p asks for PCM.
std::optional<PipedFile> sph2pipe_file(const Words& words) {
  std::optional<PipedFile> file;
  int64_t channel = -1;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-p") continue;
    if (is_one_of(word, {"-f", "-c"})) {
      if (++i == words.size()) return std::nullopt;
      if (word == "-f" && !is_one_of(words[i], {"wav", "rif", "sph"})) return std::nullopt;
      if (word == "-c" && !is_one_of(words[i], {"1", "2"})) return std::nullopt;
      if (word == "-c") channel = words[i] == "1" ? 0 : 1;
    } else if (word.starts_with('-') || file) {
      return std::nullopt;
    } else {
      file = PipedFile{word};
    }
  }
  if (file) file->channel = channel;
  return file;
}

std::optional<PipedFile> cat_file(const Words& words) {
  if (words.size() != 2 || words[1].starts_with('-')) return std::nullopt;
  return PipedFile{words[1]};
}

/// sox without effects, and without a change of rate or channels: it writes what it reads.
std::optional<PipedFile> sox_file(const Words& words) {
  std::optional<PipedFile> file;
  bool to_output = false;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (is_one_of(word, {"-t", "-b", "-e"})) {
      if (++i == words.size() || (word == "-t" && file && words[i] != "wav")) return std::nullopt;
    } else if (word == "-" && file && !to_output) {
      to_output = true;
    } else if (word.starts_with('-') || file) {
      return std::nullopt;
    } else {
      file = PipedFile{word};
    }
  }
  return to_output ? file : std::nullopt;
}

}  // namespace

std::optional<PipedFile> piped_file(std::string_view command) {
  const size_t end = command.find_last_not_of(" \t|");
  if (end == std::string_view::npos) return std::nullopt;
  command = command.substr(0, end + 1);
  constexpr std::string_view silenced = "2>/dev/null";
  if (command.ends_with(silenced)) command.remove_suffix(silenced.size());
  const std::optional<Words> words = ShellWords(command).split();
  if (!words || words->empty()) return std::nullopt;
  const std::string program = words->front().substr(words->front().rfind('/') + 1);
  if (program == "flac") return flac_file(*words);
  if (program == "sph2pipe") return sph2pipe_file(*words);
  if (program == "sox") return sox_file(*words);
  if (program == "cat") return cat_file(*words);
  return std::nullopt;
}

}  // namespace scion
