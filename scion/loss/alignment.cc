#include "scion/loss/alignment.h"

#include "scion/core/parallel.h"
#include "scion/loss/cpu/joiner.h"
#include "scion/loss/tdt_loss.h"

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

/// The delay penalty's contribution to a label in frame t.
double earliness(double delay_penalty, int64_t frames, int64_t t) {
  return delay_penalty * (double(frames - 1) / 2 - double(t));
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
        label_probability(arcs, n, earliness(delay_penalty, arcs.frames, t));
  }
  return alignment;
}

/// One utterance's lattice of a TDT: log-probabilities of tokens and of durations at every node.
struct TdtArcs {
  const float *blank, *label;
  std::vector<const float*> lengths;  ///< by duration
  const std::vector<int64_t>& durations;
  int64_t frames, states;
  double delay_penalty;
};

/// The best way to a node: its last arc.
struct LastArc {
  double best = impossible;
  size_t duration = 0;
  bool label = false;
};

/// By node, n = t · states + u with t in 0 … frames.
std::vector<LastArc> best_tdt_paths(const TdtArcs& arcs) {
  std::vector<LastArc> paths(static_cast<size_t>((arcs.frames + 1) * arcs.states));
  paths[0].best = 0;
  const auto try_arc = [&](LastArc& to, int64_t from, size_t i, bool label) {
    const double token = label ? arcs.label[from] : arcs.blank[from];
    const double way = paths[static_cast<size_t>(from)].best + token + arcs.lengths[i][from];
    if (way > to.best) to = {way, i, label};
  };
  for (int64_t t = 0; t <= arcs.frames; ++t)
    for (int64_t u = 0; u < arcs.states; ++u) {
      LastArc& to = paths[static_cast<size_t>(t * arcs.states + u)];
      const auto try_all = [&](bool label, int64_t shortest) {
        for (size_t i = 0; i < arcs.durations.size(); ++i)
          if (arcs.durations[i] >= shortest && arcs.durations[i] <= t)
            try_arc(to, (t - arcs.durations[i]) * arcs.states + u - (label ? 1 : 0), i, label);
      };
      // On ties take the blank last, so that labels are emitted as early as possible.
      try_all(false, 1);
      if (u > 0 && t < arcs.frames) try_all(true, 0);
    }
  return paths;
}

ForcedAlignment best_tdt_alignment(const TdtArcs& arcs) {
  if (arcs.frames == 0) return {.log_probability = impossible};
  const std::vector<LastArc> paths = best_tdt_paths(arcs);
  ForcedAlignment alignment{.log_probability = paths.back().best};
  if (!std::isfinite(alignment.log_probability)) return alignment;
  const auto labels = static_cast<size_t>(arcs.states - 1);
  alignment.frames.resize(labels);
  alignment.durations.resize(labels);
  alignment.probabilities.resize(labels);
  for (int64_t t = arcs.frames, u = arcs.states - 1; u > 0;) {
    const LastArc& arc = paths[static_cast<size_t>(t * arcs.states + u)];
    t -= arcs.durations[arc.duration];
    if (!arc.label) continue;
    const auto place = static_cast<size_t>(--u);
    alignment.frames[place] = t;
    alignment.durations[place] = arcs.durations[arc.duration];
    alignment.probabilities[place] = static_cast<float>(
        std::exp(arcs.label[t * arcs.states + u] - earliness(arcs.delay_penalty, arcs.frames, t)));
  }
  return alignment;
}

TdtArcs tdt_arcs(const SolvedLattices& solved, int64_t b) {
  TdtArcs arcs{solved.terms.blank(b),
               solved.terms.label(b),
               {},
               solved.batch.rules().durations,
               solved.batch.frames_of(b),
               solved.batch.states_of(b),
               solved.batch.rules().delay_penalty};
  for (int64_t i = 0; i < solved.batch.durations(); ++i)
    arcs.lengths.push_back(solved.terms.duration(b, i));
  return arcs;
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
                                             const TransducerLossOptions& options,
                                             const TdtOptions& tdt) {
  if (!tdt.durations.empty()) check_tdt_options(tdt);
  const SolvedLattices solved = solve_lattices_of(joiner, labels, options, /*flows=*/false, tdt);
  std::vector<ForcedAlignment> alignments(solved.batch.size());
  for_each_in_parallel(solved.batch.size(), [&](int64_t b) {
    alignments[b] = !tdt.durations.empty()
                        ? best_tdt_alignment(tdt_arcs(solved, b))
                        : best_alignment({solved.terms.blank(b), solved.terms.label(b),
                                          solved.batch.frames_of(b), solved.batch.states_of(b),
                                          options.topology},
                                         options.delay_penalty);
  });
  return alignments;
}

}  // namespace scion
