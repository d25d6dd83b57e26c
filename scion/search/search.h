// Search: encoder frames → the most probable label sequences.
#pragma once

#include <memory>
#include <vector>

#include "scion/core/option_words.h"
#include "scion/model/transducer.h"

namespace scion {

class Options;

/// What a TDT's search counts in an encoder frame until it forces the next one.
enum class FrameLimit {
  labels,  ///< labels of duration 0; after the last the next frame follows (NeMo's greedy_batch)
  steps    ///< all steps, blanks too; at the limit a frame is added to the duration (NeMo's greedy)
};
template <>
inline constexpr std::array option_words<FrameLimit>{"labels", "steps"};

struct SearchConfig {
  int64_t symbols_per_frame = 3;  ///< maximum number of labels in one encoder frame
  FrameLimit frame_limit = FrameLimit::labels;

  void declare(Options& options);
};

struct Hypothesis {
  std::vector<int64_t> tokens;
  std::vector<int64_t> frames;     ///< the encoder frame of each token
  std::vector<int64_t> durations;  ///< of each token, in encoder frames; of a TDT alone
  /// Sum of the log-probabilities of the labels and blanks (without those of durations) along the
  /// path that was searched.
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
};

/// The search that `config` describes, for `batch` utterances. The model must outlive it.
std::unique_ptr<Search> make_search(const Transducer& model, int64_t batch,
                                    const SearchConfig& config, const ForwardContext& context);

/// Searches whole utterances: encoder output (B, T', width) → one hypothesis per utterance.
std::vector<Hypothesis> find_hypotheses(const Transducer& model, const EncoderOutput& encoded,
                                        const SearchConfig& config, const ForwardContext& context);

}  // namespace scion
