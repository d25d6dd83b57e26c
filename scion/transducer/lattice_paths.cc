#include "scion/transducer/lattice_paths.h"

#include "scion/transducer/lattice.h"
#include "scion/transducer/loss_cpu.h"

namespace scion {
namespace {

constexpr double impossible = -std::numeric_limits<double>::infinity();

/// One utterance's arcs as log-probabilities, n = t · states + u.
struct Arcs {
  const float *blank, *label;
  int64_t frames, states;
};

/// best[n]: log-probability of the best path to node n; by_label[n]: whether its last arc is a
/// label.
void find_best_paths(const Arcs& arcs, std::vector<double>& best, std::vector<bool>& by_label) {
  for (int64_t t = 0; t < arcs.frames; ++t) {
    for (int64_t u = 0; u < arcs.states; ++u) {
      const int64_t n = t * arcs.states + u;
      if (n == 0) continue;
      const double waited =
          t > 0 ? best[n - arcs.states] + arcs.blank[n - arcs.states] : impossible;
      const double said = u > 0 ? best[n - 1] + arcs.label[n - 1] : impossible;
      // Where both are equal the wait comes last, and so the labels before it early.
      by_label[n] = said > waited;
      best[n] = std::max(said, waited);
    }
  }
}

ForcedAlignment best_alignment(const Arcs& arcs, double delay_penalty) {
  const int64_t nodes = arcs.frames * arcs.states;
  std::vector<double> best(nodes);
  std::vector<bool> by_label(nodes);
  find_best_paths(arcs, best, by_label);
  ForcedAlignment alignment;
  alignment.log_probability = best.back() + arcs.blank[nodes - 1];
  if (!std::isfinite(alignment.log_probability)) return alignment;
  alignment.frames.resize(arcs.states - 1);
  alignment.probabilities.resize(arcs.states - 1);
  for (int64_t t = arcs.frames - 1, u = arcs.states - 1; u > 0;) {
    if (!by_label[t * arcs.states + u]) {
      --t;
      continue;
    }
    --u;
    alignment.frames[u] = t;
    const double early = delay_penalty * (double(arcs.frames - 1) / 2 - double(t));
    alignment.probabilities[u] =
        static_cast<float>(std::exp(arcs.label[t * arcs.states + u] - early));
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
    alignments[b] = best_alignment({solved.terms.blank(b), solved.terms.label(b),
                                    solved.batch.frames_of(b), solved.batch.states_of(b)},
                                   options.delay_penalty);
  });
  return alignments;
}

}  // namespace scion
