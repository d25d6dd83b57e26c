// Forced alignment: the times of the words and tokens of known texts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/transducer.h"
#include "scion/text/timed_word.h"

namespace scion {

struct AlignedToken {
  std::string piece;
  double seconds = 0;      ///< start of its encoder frame
  double probability = 0;  ///< of the label in that frame
};

struct UtteranceAlignment {
  std::string id;
  std::string fault;  ///< why there is no alignment, and nothing below is set; "": there is one
  std::vector<TimedWord> words;
  std::vector<AlignedToken> tokens;
  double log_probability = 0;  ///< of the alignment, blanks included
};

/// The most probable alignment of every utterance with its text, in the data set's order. The data
/// set is the model's (dataset_for). An utterance has none where its text has more tokens than its
/// audio can hold, and where memory runs out on it alone. `progress` is called with the number of
/// utterances done.
std::vector<UtteranceAlignment> align_utterances(const Transducer& model, const Dataset& dataset,
                                                 double batch_seconds,
                                                 const std::function<void(int64_t)>& progress = {});

}  // namespace scion
