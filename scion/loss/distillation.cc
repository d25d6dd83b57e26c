#include "scion/loss/distillation.h"

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/tensor_text.h"
#include "scion/loss/cpu/joiner.h"
#include "scion/loss/cpu/solve.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/lattice_loss.h"
#include "scion/loss/tdt_loss.h"

namespace scion {
namespace {

/// (B, size) bool: true below each of lengths (B).
at::Tensor valid_until(const at::Tensor& lengths, int64_t size) {
  return at::arange(size, lengths.options()) < lengths.unsqueeze(1);
}

/// (B, U+1) int64, on the labels' device: the label that follows each state; the blank after the
/// last one.
at::Tensor following_labels(const LatticeLabels& labels, int64_t blank) {
  return at::where(valid_until(labels.token_lengths, labels.tokens.size(1) + 1),
                   at::constant_pad_nd(labels.tokens, {0, 1}, blank), blank);
}

/// At every node, (B, T, U+1) each; anything in padding.
struct TeacherNodes {
  at::Tensor blank, label;  ///< log-probabilities of blank and next label
  at::Tensor occupation;    ///< of a TDT, if asked for: the posterior of the node
};

/// A TDT's, or an RNN-T's on the CPU.
TeacherNodes solved_nodes(const JoinerInputs& teacher, const LatticeLabels& labels,
                          const TransducerLossOptions& options, const TdtOptions& tdt,
                          bool occupation) {
  SolvedLattices solved =
      solve_lattices_of(teacher, labels, {.blank = options.blank, .bf16 = options.bf16},
                        /*flows=*/false, {.durations = tdt.durations});
  const auto beside_teacher = [&](const at::Tensor& x) {
    return upload(x, teacher.encoder.device());
  };
  const auto [blank, label] = solved.terms.arcs(solved.batch);
  TeacherNodes nodes{beside_teacher(blank), beside_teacher(label), {}};
  if (!occupation) return nodes;
  solve_lattices(solved.batch, solved.terms, /*flows=*/true);
  const auto [blank_flow, label_flow] = solved.terms.arcs(solved.batch);
  nodes.occupation = beside_teacher(blank_flow + label_flow);
  return nodes;
}

TeacherNodes teacher_nodes(const JoinerInputs& teacher, const LatticeLabels& labels,
                           const TransducerLossOptions& options, const TdtOptions& tdt,
                           NodeWeighting weighting) {
  if (!tdt.durations.empty()) {
    check_tdt_options(tdt);
    return solved_nodes(teacher, labels, options, tdt, weighting == NodeWeighting::occupied);
  }
  const LossDevice* const device =
      find_loss_device({teacher.encoder, teacher.predictor, teacher.weight, teacher.bias});
  if (device == nullptr) return solved_nodes(teacher, labels, options, tdt, /*occupation=*/false);
  const LatticeBatch batch = check_joiner_batch(teacher, labels, {.blank = options.blank});
  const auto [blank, label] = device_joiner_arcs(*device, teacher, batch, settings_of(options));
  return {blank, label, {}};
}

/// q · (log q − log s); 0 with a zero gradient where q is 0.
at::Tensor divergence_of_class(const at::Tensor& teacher, const at::Tensor& student_log) {
  const at::Tensor none = teacher == 0;
  return at::xlogy(teacher, teacher) - teacher * student_log.masked_fill(none, 0);
}

}  // namespace

NodeTargets node_targets(const JoinerInputs& teacher, const LatticeLabels& labels,
                         NodeWeighting weighting, const TransducerLossOptions& options,
                         const TdtOptions& tdt) {
  const at::NoGradGuard no_grad;
  const auto [blank, label, occupation] = teacher_nodes(teacher, labels, options, tdt, weighting);
  const int64_t frames = blank.size(1), states = blank.size(2);
  const auto beside_arcs = [device = blank.device()](const at::Tensor& x) {
    return upload(x, device);
  };
  const at::Tensor label_counts = beside_arcs(labels.token_lengths);
  const at::Tensor has_label = valid_until(label_counts, states).unsqueeze(1).to(at::kFloat);
  const at::Tensor node = (valid_until(beside_arcs(labels.frame_lengths), frames).unsqueeze(2) &
                           valid_until(label_counts + 1, states).unsqueeze(1))
                              .to(at::kFloat);
  const at::Tensor blanks = blank.exp() * node, nexts = label.exp() * node * has_label;
  // Exactly zero without another class, whose probability is zero in the student, too.
  const auto durations = static_cast<int64_t>(tdt.durations.size());
  const at::Tensor has_rest = teacher.weight.size(0) - durations - 1 - has_label > 0;
  const at::Tensor rest = (node - blanks - nexts).clamp_min(0) * has_rest;
  at::Tensor weights;
  if (weighting == NodeWeighting::all) {
    const at::Tensor arcs = labels.frame_lengths + labels.token_lengths;
    const at::Tensor nodes = labels.frame_lengths * (labels.token_lengths + 1);
    weights = node * beside_arcs(arcs / nodes.clamp_min(1)).view({-1, 1, 1});
  } else if (occupation.defined()) {
    weights = occupation;
  } else {
    const LatticeArcs flows =
        lattice_flows({blank, label.narrow(2, 0, states - 1)}, labels, Topology::regular);
    weights = flows.blank + at::constant_pad_nd(flows.label, {0, 1});
  }
  return {at::stack({blanks, nexts, rest}), weights};
}

at::Tensor node_divergence(const at::Tensor& given, const LatticeLabels& labels,
                           const NodeTargets& targets, int64_t blank) {
  // Finite, so that no gradient is 0 · ∞ if no class is left.
  constexpr double kNever = -1e30;
  const at::Tensor logits = given.scalar_type() == at::kDouble ? given : given.to(at::kFloat);
  const int64_t size = logits.size(0), frames = logits.size(1), states = logits.size(2);
  // The last state has no label: there the blank is used, with a teacher's probability of 0.
  const at::Tensor next = upload(following_labels(labels, blank), logits.device())
                              .view({size, 1, states, 1})
                              .expand({size, frames, states, 1});
  const at::Tensor all = logits.logsumexp(-1);
  const at::Tensor blanks = logits.select(-1, blank) - all;
  const at::Tensor nexts = logits.gather(-1, next).squeeze(-1) - all;
  const at::Tensor others =
      logits.scatter(-1, next, kNever).index_fill(-1, at::full({1}, blank, next.options()), kNever);
  const at::Tensor rest = others.logsumexp(-1) - all;
  const at::Tensor teacher = targets.probabilities.to(logits.scalar_type());
  const at::Tensor divergence = divergence_of_class(teacher[0], blanks) +
                                divergence_of_class(teacher[1], nexts) +
                                divergence_of_class(teacher[2], rest);
  const at::Tensor weights = targets.weights.to(logits.scalar_type());
  return (weights * divergence.masked_fill(weights == 0, 0)).sum({1, 2});
}

at::Tensor ctc_divergence(const at::Tensor& teacher, const at::Tensor& student,
                          const at::Tensor& lengths, double temperature) {
  if (teacher.dim() != 3 || teacher.sizes() != student.sizes()) {
    throw UserError(fmt::format("the teacher's CTC logits are {}, the student's {}",
                                shape_text(teacher), shape_text(student)),
                    "give (B, T, V), of the same size");
  }
  const at::Tensor target = at::log_softmax(teacher.detach() / temperature, -1);
  const at::Tensor own = at::log_softmax(student / temperature, -1);
  const at::Tensor divergence = (target.exp() * (target - own)).sum(-1);
  const at::Tensor valid = valid_until(upload(lengths, student.device()), student.size(1));
  return temperature * temperature * divergence.masked_fill(~valid, 0).sum(1);
}

}  // namespace scion
