// Search: encoder frames → the most probable label sequences.
#pragma once

#include <memory>
#include <vector>

#include "scion/core/option_words.h"
#include "scion/model/transducer.h"

namespace scion {

/// What a TDT's search counts in an encoder frame until it forces the next one.
enum class FrameLimit {
  labels,  ///< labels of duration 0; after the last the next frame follows (NeMo's greedy_batch)
  steps    ///< all steps, blanks too; at the limit a frame is added to the duration (NeMo's greedy)
};
template <>
inline constexpr std::array option_words<FrameLimit>{"labels", "steps"};

struct SearchConfig {
  /// Greedy search: maximum number of labels in one encoder frame (icefall and sherpa-onnx take 1,
  /// NeMo 10).
  int64_t symbols_per_frame = 3;
  FrameLimit frame_limit = FrameLimit::labels;
  /// Hypotheses that are followed. 1: greedy search; more: modified beam search, with at most one
  /// label in a frame.
  int64_t beam = 1;
  double blank_penalty = 0;  ///< is subtracted from the logit of blank
  double temperature = 1;    ///< divides the logits
  /// Labels that are never emitted, e.g. that of unknown words.
  std::vector<int64_t> suppressed = {};
};

struct Hypothesis {
  std::vector<int64_t> tokens;
  std::vector<int64_t> frames;     ///< the encoder frame of each token
  std::vector<int64_t> durations;  ///< of each token, in encoder frames; of a TDT alone
  /// Greedy search: sum of the log-probabilities of the labels and blanks (without those of
  /// durations) along the path that was searched. Beam search: log-probability of all paths to
  /// these tokens that were followed.
  double log_probability = 0;
};

/// Searches a batch of utterances whose encoder frames may arrive in pieces.
class Search {
 public:
  virtual ~Search() = default;

  /// The next encoder frames (B, T', width), of which `lengths` (B) are valid. Only the last piece
  /// of an utterance may have fewer than T' valid frames.
  virtual void advance(const EncoderOutput& encoded) = 0;
  /// The best hypothesis of each utterance so far.
  virtual const std::vector<Hypothesis>& hypotheses() const = 0;
  /// All hypotheses of one utterance that are still followed, the best one first.
  virtual std::vector<Hypothesis> n_best(size_t utterance) const {
    return {hypotheses()[utterance]};
  }
};

/// The search that `config` describes, for `batch` utterances. UserError for a beam search of a
/// TDT. The model must outlive it.
std::unique_ptr<Search> make_search(const Transducer& model, int64_t batch,
                                    const SearchConfig& config, const ForwardContext& context);

/// Searches whole utterances: encoder output (B, T', width) → one hypothesis per utterance.
std::vector<Hypothesis> find_hypotheses(const Transducer& model, const EncoderOutput& encoded,
                                        const SearchConfig& config, const ForwardContext& context);

}  // namespace scion
