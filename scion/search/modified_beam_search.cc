#include "scion/search/modified_beam_search.h"

namespace scion {

// log(exp(a) + exp(b))
static double add_log(double a, double b) {
  const double larger = std::max(a, b);
  return std::isinf(larger) ? larger : larger + std::log1p(std::exp(std::min(a, b) - larger));
}

ModifiedBeamSearch::Token::Token(int64_t label, int64_t frame, std::shared_ptr<Token> before)
    : label(label),
      frame(frame),
      count(before == nullptr ? 1 : before->count + 1),
      hash((before == nullptr ? 0 : before->hash) * 0x9E3779B97F4A7C15U +
           static_cast<uint64_t>(label)),
      before(std::move(before)) {}

// One after another: an hour has more tokens than the stack has room for nested calls.
ModifiedBeamSearch::Token::~Token() {
  while (before != nullptr && before.use_count() == 1) {
    const std::shared_ptr<Token> last = std::move(before);
    before = std::move(last->before);
  }
}

ModifiedBeamSearch::ModifiedBeamSearch(const LabelScores& scores,
                                       std::unique_ptr<LabelHistories> histories,
                                       const SearchConfig& config)
    : scores_(scores),
      histories_(std::move(histories)),
      beam_(static_cast<size_t>(config.beam)),
      rows_(scores, config.beam) {
  branches_.push_back({nullptr, histories_->start(), 0});
}

std::vector<ModifiedBeamSearch::Candidate> ModifiedBeamSearch::best_candidates() const {
  std::vector<Candidate> best;  // in falling order
  best.reserve(beam_ + 1);
  double least = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < branches_.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    const float* const logits = rows_.logits(row);
    const double base = branches_[i].log_probability - rows_.log_sum(row);
    for (int64_t label = 0; label < scores_.vocabulary(); ++label) {
      const double score = base + logits[label];
      if (!(score > least)) continue;
      const auto place = std::find_if(best.begin(), best.end(), [&](const Candidate& other) {
        return other.log_probability < score;
      });
      best.insert(place, {score, i, label});
      if (best.size() > beam_) best.pop_back();
      if (best.size() == beam_) least = best.back().log_probability;
    }
  }
  return best;
}

ModifiedBeamSearch::Branch ModifiedBeamSearch::follow(const Candidate& candidate, int64_t t) {
  Branch branch = branches_[candidate.branch];
  branch.log_probability = candidate.log_probability;
  if (candidate.label == blank) return branch;
  branch.last = std::make_shared<Token>(candidate.label, t, std::move(branch.last));
  branch.history = nullptr;  // computed for the hypotheses that remain
  return branch;
}

bool ModifiedBeamSearch::same_tokens(const Branch& one, const Branch& other) {
  const Token *a = one.last.get(), *b = other.last.get();
  while (a != b) {
    if (a == nullptr || b == nullptr || a->count != b->count || a->hash != b->hash ||
        a->label != b->label)
      return false;
    a = a->before.get();
    b = b->before.get();
  }
  return true;
}

void ModifiedBeamSearch::step(const float* frame, int64_t t) {
  std::vector<LabelScores::Pair> pairs;
  for (const Branch& branch : branches_) pairs.push_back({frame, branch.history->projected.data()});
  scores_.compute(pairs, rows_);
  std::vector<Branch> next;
  for (const Candidate& candidate : best_candidates()) {
    Branch branch = follow(candidate, t);
    const auto same = std::find_if(next.begin(), next.end(),
                                   [&](const Branch& other) { return same_tokens(branch, other); });
    if (same != next.end()) {
      same->log_probability = add_log(same->log_probability, branch.log_probability);
      continue;
    }
    if (branch.history == nullptr)
      branch.history = histories_->next(*branches_[candidate.branch].history, candidate.label);
    next.push_back(std::move(branch));
  }
  // Scores that are no numbers leave nothing to choose from: the hypotheses stay as they are.
  if (!next.empty()) branches_ = std::move(next);
}

void ModifiedBeamSearch::advance(const float* frames, int64_t count, int64_t first) {
  for (int64_t t = 0; t < count; ++t) step(frames + t * scores_.width(), first + t);
}

double ModifiedBeamSearch::normalised(const Branch& branch) const {
  const int64_t tokens = branch.last == nullptr ? 0 : branch.last->count;
  return branch.log_probability / static_cast<double>(tokens + histories_->context_labels());
}

std::vector<Hypothesis> ModifiedBeamSearch::hypotheses() const {
  std::vector<const Branch*> order;
  for (const Branch& branch : branches_) order.push_back(&branch);
  std::stable_sort(order.begin(), order.end(), [&](const Branch* one, const Branch* other) {
    return normalised(*one) > normalised(*other);
  });
  std::vector<Hypothesis> all;
  for (const Branch* branch : order) {
    Hypothesis& hypothesis = all.emplace_back();
    hypothesis.log_probability = branch->log_probability;
    for (const Token* token = branch->last.get(); token != nullptr; token = token->before.get()) {
      hypothesis.tokens.push_back(token->label);
      hypothesis.frames.push_back(token->frame);
    }
    std::reverse(hypothesis.tokens.begin(), hypothesis.tokens.end());
    std::reverse(hypothesis.frames.begin(), hypothesis.frames.end());
  }
  return all;
}

}  // namespace scion
