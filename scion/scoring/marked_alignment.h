// Alignment of texts with alternatives and optional words.
#pragma once

#include <string>
#include <vector>

#include "scion/scoring/alignment.h"
#include "scion/scoring/marked_text.h"
#include "scion/text/normalisation.h"

namespace scion {

struct MarkedAlignmentOptions {
  AlignmentCosts costs = AlignmentCosts::levenshtein;
  /// A fragment `word-` or `-word` equals every word that begins or ends so (sclite -F).
  bool fragments = false;
  NormalisationConfig text;  ///< applied to every word first
};

struct MarkedAlignment {
  /// An optional word that is left out is a hit without a hypothesis, as sclite counts it; optional
  /// words are in parentheses.
  std::vector<AlignedWord> words;
  /// The alternatives that were taken, without the optional words that were left out.
  std::string reference, hypothesis;
};

/// The alignment of least cost of any of the reference's wordings with any of the hypothesis'. Of
/// equal ones in errors and hits, the one that sclite's costs prefer; then the first alternative.
/// Of texts without marks the result is `align`'s. Memory: 8 bytes × words × words.
MarkedAlignment align(const MarkedText& reference, const MarkedText& hypothesis,
                      const MarkedAlignmentOptions& options = {});

}  // namespace scion
