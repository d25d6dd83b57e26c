#include "scion/scoring/glm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "scion/core/error.h"
#include "scion/scoring/content_lines.h"
#include "scion/scoring/marked_text.h"
#include "scion/text/normalisation.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

// A string of a rule: in brackets or quotation marks its spaces count.
std::string unquoted(std::string_view text) {
  text = strip(text);
  const bool quoted = text.size() >= 2 && ((text.starts_with('[') && text.ends_with(']')) ||
                                           (text.starts_with('"') && text.ends_with('"')));
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

std::string_view without_comment(std::string_view line) {
  return strip(line.substr(0, line.find(";;")));
}

GlmRule parse_rule(std::string_view line, const std::string& where) {
  const size_t arrow = line.find("=>");
  if (arrow == std::string_view::npos)
    throw UserError(fmt::format("no '=>' in {}", where), "write: word => replacement");
  GlmRule rule;
  rule.from = unquoted(line.substr(0, arrow));
  std::string_view right = line.substr(arrow + 2);
  const size_t slot = right.rfind("__");
  const size_t slash = slot == std::string_view::npos ? slot : right.rfind('/', slot);
  if (slash != std::string_view::npos) {
    rule.left = unquoted(right.substr(slash + 1, slot - slash - 1));
    rule.right = unquoted(right.substr(slot + 2));
    right = right.substr(0, slash);
  }
  rule.to = unquoted(right);
  if (rule.from.empty())
    throw UserError(fmt::format("nothing before '=>' in {}", where), "write: word => replacement");
  return rule;
}

// `* key = "value"`
void read_setting(std::string_view line, const std::string& where, GlmRules& rules) {
  const size_t start = line.find_first_of("\"'");
  const size_t end = start == std::string_view::npos ? start : line.find(line[start], start + 1);
  if (end == std::string_view::npos)
    throw UserError(fmt::format("a setting without a value in quotes in {}", where),
                    "write: * case_sensitive = 'F'");
  const std::string key = lower(line.substr(0, start));
  const std::string value = lower(line.substr(start + 1, end - start - 1));
  const bool is_true = value == "t" || value == "true" || value == "yes";
  const auto has = [&](const char* name) { return key.find(name) != std::string::npos; };
  if (has("case_sensitive")) rules.case_sensitive = is_true;
  if ((has("copy_no_hit") && !is_true) || (has("format") && value != "nist1" && value != "nist2"))
    throw UserError(fmt::format("the setting '{}' in {} is not understood", strip(line), where),
                    "copy_no_hit has to be 'T' and format 'NIST1' or 'NIST2'");
}

// The expression of `;; INPUT_DEPENDENT_APPLICATION = "…"`; false for any other line.
bool read_inputs(std::string_view line, const std::string& where, std::string& inputs) {
  const std::string_view comment = strip(line.substr(2));
  if (!comment.starts_with("INPUT_DEPENDENT_APPLICATION")) return false;
  const size_t start = comment.find('"');
  const size_t end = comment.rfind('"');
  if (start >= end) return false;
  inputs = lower(comment.substr(start + 1, end - start - 1));
  if (inputs.empty() ||
      inputs.find_first_not_of("abcdefghijklmnopqrstuvwxyz|") != std::string::npos)
    throw UserError(fmt::format("INPUT_DEPENDENT_APPLICATION is '{}' in {}", inputs, where),
                    "forms and roles are understood, with | between them: stm, ctm, trn, txt, ref, "
                    "hyp");
  return true;
}

bool is_for(const GlmRule& rule, std::string_view form, std::string_view role) {
  for (size_t start = 0; start < rule.inputs.size();) {
    const size_t end = std::min(rule.inputs.find('|', start), rule.inputs.size());
    const std::string_view input = std::string_view(rule.inputs).substr(start, end - start);
    if (form.find(input) != std::string_view::npos || role.find(input) != std::string_view::npos)
      return true;
    start = end + 1;
  }
  return rule.inputs.empty();
}

// Rules by the first character of what they match.
class Rewriter {
 public:
  Rewriter(const GlmRules& rules, std::string_view form, Role role)
      : case_sensitive_(rules.case_sensitive) {
    for (const GlmRule& rule : rules.rules)
      if (is_for(rule, form, role == Role::reference ? "ref" : "hyp"))
        by_first_[index(rule.from[0])].push_back(&rule);
  }

  std::string rewrite(std::string_view text) const {
    const std::string before = fmt::format(" {} ", fmt::join(split_words(text), " "));
    std::string after;
    for (size_t i = 0; i < before.size();) {
      const auto& rules = by_first_[index(before[i])];
      const auto rule = std::find_if(rules.begin(), rules.end(), [&](const GlmRule* candidate) {
        return matches(*candidate, before, i);
      });
      if (rule == rules.end()) {
        after += before[i++];
      } else {
        after += (*rule)->to;
        i += (*rule)->from.size();
      }
    }
    return std::string(strip(after));
  }

 private:
  size_t index(char c) const { return static_cast<unsigned char>(case_sensitive_ ? c : lower(c)); }

  bool matches(const GlmRule& rule, std::string_view text, size_t i) const {
    return i >= rule.left.size() && equal_at(text, i, rule.from) &&
           equal_at(text, i - rule.left.size(), rule.left) &&
           equal_at(text, i + rule.from.size(), rule.right);
  }

  bool equal_at(std::string_view text, size_t start, std::string_view part) const {
    if (start > text.size() || text.size() - start < part.size()) return false;
    return std::equal(part.begin(), part.end(), text.begin() + static_cast<std::ptrdiff_t>(start),
                      [&](char a, char b) { return index(a) == index(b); });
  }

  bool case_sensitive_;
  std::array<std::vector<const GlmRule*>, 256> by_first_;
};

// Marks of alternatives and optional words as words of their own; an escaped one is no mark.
std::string with_marks_apart(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size())
      result += {c, text[++i]};
    else if (c == '{' || c == '}' || c == '(' || c == ')')
      result += {' ', c, ' '};
    else
      result += c;
  }
  return result;
}

}  // namespace

GlmRules parse_glm(std::string_view content, const std::string& place) {
  GlmRules rules;
  std::string inputs;
  for (const ContentLine& line : content_lines(content, place)) {
    if (line.text.starts_with(";;") && read_inputs(line.text, line.where, inputs)) continue;
    const std::string_view text = without_comment(line.text);
    if (text.empty()) continue;
    if (text.starts_with('*')) {
      read_setting(text, line.where, rules);
      continue;
    }
    rules.rules.push_back(parse_rule(text, line.where));
    rules.rules.back().inputs = inputs;
  }
  if (rules.rules.empty())
    throw UserError(fmt::format("no rules in {}", place), "write one a line: word => replacement");
  return rules;
}

std::string apply(const GlmRules& rules, std::string_view text, std::string_view form, Role role) {
  return Rewriter(rules, form, role).rewrite(text);
}

void apply(const GlmRules& rules, std::string_view form, Role role,
           std::vector<Transcript>& transcripts) {
  const Rewriter rewriter(rules, form, role);
  for (Transcript& transcript : transcripts) {
    const std::string text =
        transcript.marked ? with_marks_apart(transcript.text) : escape_marks(transcript.text);
    transcript.text = rewriter.rewrite(text);
    if (!rules.case_sensitive)
      transcript.text = normalise_text(transcript.text, {.letter_case = LetterCase::lower});
    transcript.marked = true;
    parse_marked_text(transcript.text, role,
                      fmt::format("'{}' after the rules: {}", transcript.id, transcript.text));
  }
}

}  // namespace scion
