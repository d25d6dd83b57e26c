// One utterance's text, as a reference or a hypothesis.
#pragma once

#include <string>
#include <vector>

namespace scion {

struct Transcript {
  std::string id, text;
  std::string speaker = {};  ///< "" if unknown
  bool marked = false;       ///< the text is in NIST's notation, see marked_text.h
};

enum class Role { reference, hypothesis };

struct TranscriptPair {
  std::vector<Transcript> references, hypotheses;
};

}  // namespace scion
