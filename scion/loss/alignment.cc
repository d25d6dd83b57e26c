#include "scion/loss/alignment.h"

#include "scion/loss/cpu/given.h"
#include "scion/loss/lattice/lattice.h"

namespace scion {
namespace {

constexpr double impossible = -std::numeric_limits<double>::infinity();

/// One utterance's arcs as log-probabilities, n = t · states + u; `constrained` labels count the
/// blank behind them.
struct Arcs {
  const float *blank, *label;
  int64_t frames, states;
  Topology topology;

  /// How many nodes on a label leads.
  int64_t label_step() const { return topology == Topology::regular ? 1 : states + 1; }
};

/// best[n]: log-probability of the best path to node n, t in 0 … frames; by_label[n]: whether its
/// last arc is a label.
void find_best_paths(const Arcs& arcs, std::vector<double>& best, std::vector<bool>& by_label) {
  const int64_t step = arcs.label_step();
  best[0] = 0;
  for (int64_t t = 0; t <= arcs.frames; ++t) {
    for (int64_t u = t == 0 ? 1 : 0; u < arcs.states; ++u) {
      const int64_t n = t * arcs.states + u;
      const double waited =
          t > 0 ? best[n - arcs.states] + arcs.blank[n - arcs.states] : impossible;
      // Regular: behind the last frame there are no labels.
      const bool may_say = u > 0 && (step > 1 ? t > 0 : t < arcs.frames);
      const double said = may_say ? best[n - step] + arcs.label[n - step] : impossible;
      // Where both are equal the wait comes last, and so the labels before it early.
      by_label[n] = said > waited;
      best[n] = std::max(said, waited);
    }
  }
}

/// Of the label behind node n alone.
float label_probability(const Arcs& arcs, int64_t n, double early) {
  const double blank_behind = arcs.topology == Topology::constrained ? arcs.blank[n + 1] : 0;
  return static_cast<float>(std::exp(arcs.label[n] - blank_behind - early));
}

ForcedAlignment best_alignment(const Arcs& arcs, double delay_penalty) {
  if (arcs.frames == 0) return {.log_probability = impossible};
  const int64_t nodes = (arcs.frames + 1) * arcs.states;
  std::vector<double> best(nodes);
  std::vector<bool> by_label(nodes);
  find_best_paths(arcs, best, by_label);
  ForcedAlignment alignment;
  alignment.log_probability = best.back();
  if (!std::isfinite(alignment.log_probability)) return alignment;
  alignment.frames.resize(arcs.states - 1);
  alignment.probabilities.resize(arcs.states - 1);
  for (int64_t n = nodes - 1, u = arcs.states - 1; u > 0;) {
    if (!by_label[n]) {
      n -= arcs.states;
      continue;
    }
    n -= arcs.label_step();
    --u;
    const int64_t t = n / arcs.states;
    alignment.frames[u] = t;
    alignment.probabilities[u] =
        label_probability(arcs, n, delay_penalty * (double(arcs.frames - 1) / 2 - double(t)));
  }
  return alignment;
}

}  // namespace

ArcOccupation arc_occupation(const JoinerBatch& inputs, const TransducerLossOptions& options) {
  const SolvedLattices solved = solve_lattices_of(inputs, options, true);
  auto [blank, label] = solved.terms.arcs(solved.batch);
  return {blank, label};
}

std::vector<ForcedAlignment> best_alignments(const JoinerBatch& inputs,
                                             const TransducerLossOptions& options) {
  const SolvedLattices solved = solve_lattices_of(inputs, options, false);
  std::vector<ForcedAlignment> alignments(solved.batch.size());
  for_each_in_parallel(solved.batch.size(), [&](int64_t b) {
    alignments[b] =
        best_alignment({solved.terms.blank(b), solved.terms.label(b), solved.batch.frames_of(b),
                        solved.batch.states_of(b), options.topology},
                       options.delay_penalty);
  });
  return alignments;
}

}  // namespace scion
