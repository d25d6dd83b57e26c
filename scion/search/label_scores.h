// The joiner's logits as a search on the CPU needs them: a few rows at a time, in plain arrays.
#pragma once

#include <span>

#include "scion/loss/cpu/joiner_tiles.h"
#include "scion/model/transducer.h"
#include "scion/search/search.h"

namespace scion {

/// (logits of blank and labels − penalty of blank) / temperature; −∞ for suppressed labels:
/// weight (V, joiner width), bias (V).
Linear search_output(const Linear& joiner_output, const SearchConfig& config);

/// Several threads may use one at a time, each with its own Rows.
class LabelScores {
 public:
  /// Of search_output(), on any device.
  LabelScores(const Linear& output, JoinerActivation activation);

  /// One encoder frame and one state of the predictor, both projected: (joiner width) each.
  struct Pair {
    const float *frame, *predicted;
  };
  /// Room for the logits of up to `most` pairs.
  class Rows {
   public:
    Rows(const LabelScores& scores, int64_t most);
    /// The logits (V) of pair `row`.
    const float* logits(int64_t row) const { return logits_.row(row); }
    /// log Σ exp(logits) of pair `row`
    double log_sum(int64_t row) const { return log_sums_[static_cast<size_t>(row)]; }

   private:
    friend class LabelScores;
    Tile hidden_, logits_;
    std::vector<float> log_sums_;
  };
  /// Fills the first rows, one for each pair.
  void compute(std::span<const Pair> pairs, Rows& rows) const;

  int64_t width() const { return width_; }            ///< of the joiner
  int64_t vocabulary() const { return vocabulary_; }  ///< V

 private:
  JoinerActivation activation_;
  int64_t width_, vocabulary_;
  PackedMatrix weight_;
  std::vector<float> bias_;  // padded to whole vectors
};

}  // namespace scion
