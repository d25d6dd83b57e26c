#include "scion/loss/cpu/solve.h"

#include "scion/core/parallel.h"
#include "scion/loss/cpu/kernels.h"
#include "scion/loss/lattice/arc_lattice.h"

namespace scion {
namespace {

/// One utterance's blank and label terms, or their flows, by rows of `width` nodes a frame.
struct TermRows {
  float *blank, *label;
  int64_t frames, width;

  /// f(label, the blank that follows it): the blank of the same frame, one state on; nullptr past
  /// the row's end.
  template <class F>
  void for_each_label(F f) const {
    for (int64_t t = 0; t < frames; ++t)
      for (int64_t i = 0; i < width; ++i)
        f(label[t * width + i], i + 1 < width ? blank + t * width + i + 1 : nullptr);
  }
  /// Adds the blank that follows to each label's arc; no arc leads out of a band.
  void constrain() const {
    for_each_label(
        [](float& arc, const float* next) { arc = next != nullptr ? arc + *next : -INFINITY; });
  }
  /// Adds the flow through each label's arc to that blank's flow.
  void share_with_blanks() const {
    for_each_label([](float flow, float* next) {
      if (next != nullptr) *next += flow;
    });
  }
};

/// Returns log P. With `flows` the terms become flows if it is finite.
double solve_whole_regular(const TermRows& rows, bool flows) {
  const at::Tensor workspace =
      at::empty({lattice_workspace_bytes(rows.frames, rows.width)}, at::kByte);
  return loss_kernels().lattice(rows.blank, rows.label, rows.frames, rows.width,
                                workspace.data_ptr(), flows ? rows.blank : nullptr,
                                flows ? rows.label : nullptr);
}

double solve_durations(const LatticeBatch& batch, int64_t b, const TermRows& rows,
                       const NodeTerms& terms, bool flows) {
  if (rows.frames == 0) return -INFINITY;
  const std::vector<int64_t>& durations = batch.rules().durations;
  const DurationLattice lattice{.frames = rows.frames,
                                .states = rows.width,
                                .durations = durations.data(),
                                .count = batch.durations(),
                                .sigma = batch.rules().sigma,
                                .blank = rows.blank,
                                .label = rows.label,
                                .duration = terms.duration(b, 0),
                                .plane = terms.duration_plane()};
  const at::Tensor workspace = at::empty({duration_workspace_bytes(lattice)}, at::kByte);
  return loss_kernels().duration_lattice(lattice, flows, workspace.data_ptr());
}

double solve_any(const LatticeBatch& batch, int64_t b, const TermRows& rows, bool flows) {
  const bool band = batch.first().defined();
  ArcLattice<float> lattice(
      {.frames = rows.frames,
       .labels = batch.states_of(b) - 1,
       .width = rows.width,
       .first = band ? batch.first().const_data_ptr<int64_t>() + b * batch.max_frames() : nullptr,
       .same_frame = batch.rules().topology == Topology::regular},
      {rows.blank, rows.width, rows.width}, {rows.label, rows.width, rows.width});
  const double log_probability = lattice.forward();
  if (flows && std::isfinite(log_probability))
    lattice.flows(log_probability, {rows.blank, rows.width, rows.width},
                  {rows.label, rows.width, rows.width});
  return log_probability;
}

TermRows rows_of(const LatticeBatch& batch, const NodeTerms& terms, int64_t b) {
  return {terms.blank(b), terms.label(b), batch.frames_of(b), batch.width_of(b)};
}

/// Returns log P of one utterance. With `flows` its terms become flows.
double solve_utterance(const LatticeBatch& batch, int64_t b, const NodeTerms& terms, bool flows) {
  const TermRows rows = rows_of(batch, terms, b);
  const bool whole_regular =
      !batch.first().defined() && batch.rules().topology == Topology::regular && rows.frames > 0;
  double log_probability = batch.durations() > 0 ? solve_durations(batch, b, rows, terms, flows)
                           : whole_regular       ? solve_whole_regular(rows, flows)
                                                 : solve_any(batch, b, rows, flows);
  if (log_probability == INFINITY) log_probability = NAN;  // some arc exceeded probability 1
  if (flows && !std::isfinite(log_probability)) {
    std::fill_n(rows.blank, batch.nodes_of(b), 0.F);
    std::fill_n(rows.label, batch.nodes_of(b), 0.F);
    for (int64_t i = 0; i < batch.durations(); ++i)
      std::fill_n(terms.duration(b, i), batch.nodes_of(b), 0.F);
  } else if (flows && batch.rules().fast_emit != 0) {
    const auto scale = static_cast<float>(1 + batch.rules().fast_emit);
    for (int64_t n = 0; n < batch.nodes_of(b); ++n) rows.label[n] *= scale;
  }
  return log_probability;
}

}  // namespace

void constrain_arcs(const LatticeBatch& batch, NodeTerms& terms) {
  if (batch.rules().topology != Topology::constrained) return;
  for_each_in_parallel(batch.size(), [&](int64_t b) { rows_of(batch, terms, b).constrain(); });
}

at::Tensor solve_arcs(const LatticeBatch& batch, NodeTerms& terms, bool flows) {
  at::Tensor losses = at::empty({batch.size()}, at::kFloat);
  float* const loss = losses.data_ptr<float>();
  for_each_in_parallel(batch.size(), [&](int64_t b) {
    loss[b] = static_cast<float>(-solve_utterance(batch, b, terms, flows));
  });
  return losses;
}

void share_flows(const LatticeBatch& batch, NodeTerms& terms) {
  if (batch.rules().topology != Topology::constrained) return;
  for_each_in_parallel(batch.size(),
                       [&](int64_t b) { rows_of(batch, terms, b).share_with_blanks(); });
}

at::Tensor solve_lattices(const LatticeBatch& batch, NodeTerms& terms, bool flows) {
  constrain_arcs(batch, terms);
  at::Tensor losses = solve_arcs(batch, terms, flows);
  if (flows) share_flows(batch, terms);
  return losses;
}

}  // namespace scion
