// Modified beam search of one utterance, as icefall has it: at most one label in a frame, so that
// all hypotheses stay at the same frame (https://github.com/k2-fsa/icefall).
#pragma once

#include "scion/search/frame_search.h"

namespace scion {

/// Hypotheses with the same tokens are one, and their probabilities are added. The best one has
/// the largest log-probability divided by its number of tokens plus the labels that the predictor
/// sees before the first one.
class ModifiedBeamSearch : public UtteranceSearch {
 public:
  ModifiedBeamSearch(const LabelScores& scores, std::unique_ptr<LabelHistories> histories,
                     const SearchConfig& config);

  void advance(const float* frames, int64_t count, int64_t first) override;
  std::vector<Hypothesis> hypotheses() const override;

 private:
  /// The last token of a sequence; sequences share their beginnings.
  struct Token {
    int64_t label, frame;
    int64_t count;  // of the sequence's tokens
    uint64_t hash;  // of the sequence
    std::shared_ptr<Token> before;

    Token(int64_t label, int64_t frame, std::shared_ptr<Token> before);
    ~Token();
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
  };
  struct Branch {
    std::shared_ptr<Token> last;  // nullptr: no token yet
    LabelHistoryPtr history;
    double log_probability = 0;
  };
  /// One label after a branch; the best of a frame are kept.
  struct Candidate {
    double log_probability;
    size_t branch;
    int64_t label;
  };

  // Follows the branches through frame number `t`.
  void step(const float* frame, int64_t t);
  std::vector<Candidate> best_candidates() const;
  Branch follow(const Candidate& candidate, int64_t t);
  static bool same_tokens(const Branch& one, const Branch& other);
  double normalised(const Branch& branch) const;

  const LabelScores& scores_;
  std::unique_ptr<LabelHistories> histories_;
  size_t beam_;
  LabelScores::Rows rows_;
  std::vector<Branch> branches_;
};

}  // namespace scion
