// NIST's global mapping rules (.glm): spellings that count as the same, as rfilter1 applies them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scion/scoring/transcript.h"

namespace scion {

/// `from => to / left __ right`: characters, with the spaces around words.
struct GlmRule {
  std::string from, to, left, right;
  std::string inputs;  ///< "" for all, else forms or roles that it is for: `ctm`, `hyp|trn`
};

struct GlmRules {
  std::vector<GlmRule> rules;
  bool case_sensitive = true;
};

/// The rules of a .glm: `A => B` and `A => B / C __ D`, strings in [ ] or " " keep their spaces;
/// `;;` comments; the settings format, copy_no_hit and case_sensitive;
/// INPUT_DEPENDENT_APPLICATION. UserError naming the line: no `=>`, nothing before it, settings or
/// expressions that are not understood.
GlmRules parse_glm(std::string_view content, const std::string& place);

/// The text with a space at each end and one between words, rewritten from left to right: at every
/// character the first rule that matches replaces what it matches; contexts are those of the text
/// before. `form` (stm, ctm, trn or txt) and `role` choose the rules. Letter case is that of ASCII.
std::string apply(const GlmRules& rules, std::string_view text, std::string_view form, Role role);

/// Rewrites texts; afterwards they are in the notation of marked_text.h, and in lower case if the
/// rules ignore it. Marks are kept apart from
/// words, so that rules match words in { } and ( ). Unlike csrfilt, which sees one line of a .ctm
/// at a time, rules of several words match words of a .ctm, too.
void apply(const GlmRules& rules, std::string_view form, Role role,
           std::vector<Transcript>& transcripts);

}  // namespace scion
