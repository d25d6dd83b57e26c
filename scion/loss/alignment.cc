#include "scion/loss/alignment.h"

#include "scion/core/parallel.h"
#include "scion/loss/cpu/joiner.h"

namespace scion {
namespace {

constexpr double impossible = -std::numeric_limits<double>::infinity();

/// One utterance's arcs as log-probabilities, n = t · states + u; `constrained` labels include the
/// blank that follows.
struct Arcs {
  const float *blank, *label;
  int64_t frames, states;
  Topology topology;

  /// Distance in nodes from a label's node to the next.
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
      const double by_blank_arc =
          t > 0 ? best[n - arcs.states] + arcs.blank[n - arcs.states] : impossible;
      // Regular: there are no labels after the last frame.
      const bool has_label_arc = u > 0 && (step > 1 ? t > 0 : t < arcs.frames);
      const double by_label_arc =
          has_label_arc ? best[n - step] + arcs.label[n - step] : impossible;
      // On ties take the blank last, so that labels are emitted as early as possible.
      by_label[n] = by_label_arc > by_blank_arc;
      best[n] = std::max(by_label_arc, by_blank_arc);
    }
  }
}

/// Probability of node n's next label alone.
float label_probability(const Arcs& arcs, int64_t n, double early) {
  const double next_blank = arcs.topology == Topology::constrained ? arcs.blank[n + 1] : 0;
  return static_cast<float>(std::exp(arcs.label[n] - next_blank - early));
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

ArcOccupation arc_occupation(const JoinerInputs& joiner, const LatticeLabels& labels,
                             const TransducerLossOptions& options) {
  const SolvedLattices solved = solve_lattices_of(joiner, labels, options, /*flows=*/true);
  auto [blank, label] = solved.terms.arcs(solved.batch);
  return {blank, label};
}

std::vector<ForcedAlignment> best_alignments(const JoinerInputs& joiner,
                                             const LatticeLabels& labels,
                                             const TransducerLossOptions& options) {
  const SolvedLattices solved = solve_lattices_of(joiner, labels, options, /*flows=*/false);
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
