#include "scion/scoring/marked_text.h"

#include <fmt/format.h>

#include <utility>

#include "scion/core/error.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

constexpr int deepest_alternatives = 50;

// Words, and braces and slashes of alternatives. A slash outside alternatives is part of a word.
std::vector<std::string> split_tokens(std::string_view text) {
  std::vector<std::string> tokens;
  int depth = 0;
  for (const std::string& field : split_words(text)) {
    std::string word;
    const auto end_word = [&] {
      if (!word.empty()) tokens.push_back(std::exchange(word, ""));
    };
    for (size_t i = 0; i < field.size(); ++i) {
      const char c = field[i];
      const bool mark = c == '{' || c == '}' || (c == '/' && depth > 0);
      if (!mark) {
        word += c;
        if (c == '\\' && i + 1 < field.size()) word += field[++i];
        continue;
      }
      end_word();
      tokens.emplace_back(1, c);
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    }
    end_word();
  }
  return tokens;
}

// A token without its tag, its backslashes and the mark of mispronunciation at its end.
struct Token {
  std::string word;
  bool opens = false, closes = false;  // begins with '(', ends with ')'
  bool is_nothing = false;             // '@'
};

Token read_token(std::string_view raw) {
  Token token;
  bool escaped = false;  // the last character
  for (size_t i = 0; i < raw.size() && raw[i] != ';'; ++i) {
    escaped = raw[i] == '\\' && i + 1 < raw.size();
    if (escaped) ++i;
    token.word += raw[i];
  }
  if (token.word.size() > 1 && token.word.back() == '*' && !escaped) token.word.pop_back();
  token.opens = raw.starts_with('(');
  token.closes = token.word.ends_with(')') && !escaped;
  token.is_nothing = token.word == "@" && !escaped;
  return token;
}

class Parser {
 public:
  Parser(std::string_view text, Role role, const std::string& where)
      : tokens_(split_tokens(text)), role_(role), where_(where) {}

  MarkedText parse() {
    MarkedText text = parse_words();
    if (next_ < tokens_.size()) fail("'}' without '{'");
    return text;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(
        fmt::format("{} in {}", what, where_),
        "alternatives are written { a / b }, nothing is written @, an optional word of a "
        "reference (word), a semicolon \\;; JSON lines and Kaldi text have no marks");
  }

  bool at(char mark) const {
    return next_ < tokens_.size() && tokens_[next_] == std::string(1, mark);
  }

  MarkedText parse_words() {
    MarkedText words;
    bool optional = false;
    while (next_ < tokens_.size() && !at('}') && (depth_ == 0 || !at('/'))) {
      if (at('{')) {
        words.push_back({.alternatives = parse_alternatives()});
        continue;
      }
      const std::string& raw = tokens_[next_++];
      Token token = read_token(raw);
      if (token.word.empty()) fail(fmt::format("'{}' has no word before its tag,", raw));
      if (token.is_nothing) continue;
      if (!optional && opens(token)) optional = true, token.word.erase(0, 1);
      const bool closes = optional && token.closes;
      if (closes) token.word.pop_back();
      if (optional && role_ == Role::hypothesis)
        fail(fmt::format("'{}' is the mark of an optional word, which a hypothesis has not,", raw));
      if (!token.word.empty()) words.push_back({.word = token.word, .optional = optional});
      optional = optional && !closes;
    }
    return words;
  }

  // Whether optional words begin with this token, which is the last one read: one here ends them.
  bool opens(const Token& token) const {
    if (!token.opens || token.word == "()") return false;
    if (token.closes && token.word.size() > 1) return true;
    for (size_t i = next_; i < tokens_.size(); ++i) {
      const std::string& raw = tokens_[i];
      if (raw == "{" || raw == "}" || raw.starts_with('(')) return false;
      if (read_token(raw).closes) return true;
    }
    return false;
  }

  std::vector<MarkedText> parse_alternatives() {
    if (++depth_ > deepest_alternatives) fail("alternatives too deep in one another");
    std::vector<MarkedText> alternatives;
    do {
      const size_t start = ++next_;
      alternatives.push_back(parse_words());
      if (next_ == start) fail(next_ < tokens_.size() ? "an empty alternative" : "'{' without '}'");
    } while (at('/'));
    if (!at('}')) fail("'{' without '}'");
    ++next_, --depth_;
    return alternatives;
  }

  std::vector<std::string> tokens_;
  Role role_;
  const std::string& where_;
  size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace

MarkedText parse_marked_text(std::string_view text, Role role, const std::string& where) {
  return Parser(text, role, where).parse();
}

std::string escape_marks(std::string_view text) {
  std::vector<std::string> words = split_words(text);
  for (std::string& word : words) {
    std::string escaped;
    for (size_t i = 0; i < word.size(); ++i) {
      const char c = word[i];
      const bool is_first = i == 0, is_last = i + 1 == word.size();
      if (c == '{' || c == '}' || c == ';' || c == '\\' || (c == '(' && is_first) ||
          ((c == ')' || c == '*') && is_last) || (c == '@' && is_first && is_last))
        escaped += '\\';
      escaped += c;
    }
    word = escaped;
  }
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace scion
