// The joiner fused with the loss, tile by tile in a workspace: a kernel makes hidden vectors, a
// matrix product the logits, which their gradients then overwrite.
#include <c10/core/DeviceGuard.h>

#include <limits>

#include "scion/core/device.h"
#include "scion/core/device/capsule.h"
#include "scion/loss/device/solve.h"
#include "scion/loss/device/tile_plan.h"
#include "scion/loss/lattice/checks.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

int64_t round_up_to_eight(int64_t n) { return (n + 7) / 8 * 8; }

/// Pads the last dimension (with `rows_too` the one before it, too) with zeros, so that rows of the
/// products' factors start at multiples of 16 bytes.
at::Tensor padded(const at::Tensor& x, bool rows_too = false) {
  const int64_t columns = round_up_to_eight(x.size(-1)) - x.size(-1);
  const int64_t rows = rows_too ? round_up_to_eight(x.size(-2)) - x.size(-2) : 0;
  if (columns == 0 && rows == 0) return x.contiguous();
  return rows_too ? at::constant_pad_nd(x, {0, columns, 0, rows})
                  : at::constant_pad_nd(x, {0, columns});
}

/// The joiner's tensors in the types and strides of products and kernels.
struct PreparedJoiner {
  at::Tensor encoder, predictor;  // (B, T, D'), (B, U+1, D') float
  at::Tensor weight;              // (V', D') in the products' type
  at::Tensor bias;                // (V) float
  bool relu;

  PreparedJoiner(const JoinerInputs& joiner, bool bf16)
      : encoder(padded(joiner.encoder.to(at::kFloat))),
        predictor(padded(joiner.predictor.to(at::kFloat))),
        weight(padded(joiner.weight.to(bf16 ? at::kBFloat16 : at::kFloat), true)),
        bias(joiner.bias.to(at::kFloat).contiguous()),
        relu(joiner.activation == JoinerActivation::relu) {}

  int64_t width() const { return weight.size(1); }
  int64_t columns() const { return weight.size(0); }  ///< of the logits, padded
  int64_t classes() const { return bias.size(0); }
};

/// Hidden vectors and logits of some tiles.
struct TileStore {
  TilePlan plan;
  at::Tensor hidden;  // (slots · rows, D') in the products' type
  at::Tensor logits;  // (slots · rows, V') float

  TileStore() = default;
  TileStore(const TilePlan& tiles, const PreparedJoiner& joiner) : plan(tiles) {
    const int64_t rows = plan.slots * plan.rows;
    hidden = at::empty({rows, joiner.width()}, joiner.weight.options());
    logits = at::empty({rows, joiner.columns()}, joiner.bias.options());
  }
  at::Tensor hidden_of(int64_t tile) const { return rows_of(hidden, tile); }
  at::Tensor logits_of(int64_t tile) const { return rows_of(logits, tile); }

 private:
  at::Tensor rows_of(const at::Tensor& all, int64_t tile) const {
    return all.narrow(0, plan.slot(tile) * plan.rows, plan.count(tile));
  }
};

void fill_tile(const Solve& solve, const PreparedJoiner& joiner, const TileStore& store,
               int64_t tile) {
  const at::Tensor hidden = store.hidden_of(tile);
  at::Tensor logits = store.logits_of(tile);
  solve.device.kernels.make_hidden({.lattices = solve.packed.view(),
                                    .encoder = joiner.encoder.const_data_ptr<float>(),
                                    .predictor = joiner.predictor.const_data_ptr<float>(),
                                    .width = joiner.width(),
                                    .first = store.plan.first(tile),
                                    .count = store.plan.count(tile),
                                    .relu = joiner.relu,
                                    .type = number_of(hidden),
                                    .hidden = hidden.mutable_data_ptr()},
                                   solve.device.stream());
  solve.device.multiply(hidden, joiner.weight.t(), logits);
}

LogitsRows tile_rows(const at::Tensor& logits) {
  return {logits.const_data_ptr(), Number::float32, logits.size(1), false};
}

/// Makes all tiles' logits and from them the nodes' terms; `change` may alter the kernel's
/// arguments.
template <class Change>
void fill_tiles(const Solve& solve, const PreparedJoiner& joiner, const TileStore& store,
                const Change& change) {
  for (int64_t tile = 0; tile < store.plan.tiles(); ++tile) {
    fill_tile(solve, joiner, store, tile);
    TermsArguments terms =
        solve.terms_arguments(tile_rows(store.logits_of(tile)), joiner.classes());
    terms.bias = joiner.bias.const_data_ptr<float>();
    terms.first = store.plan.first(tile);
    terms.count = store.plan.count(tile);
    change(terms);
    solve.device.kernels.node_terms(terms, solve.device.stream());
  }
}

TilePlan plan_of(const Solve& solve, const PreparedJoiner& joiner, int64_t workspace, bool keep) {
  return plan_tiles(solve.packed.nodes(),
                    joiner.width() * joiner.weight.element_size() + joiner.columns() * 4,
                    joiner.width() * 4, workspace, keep);
}

/// A teacher's targets in the form of the kernels; undefined without a teacher.
struct TargetTensors {
  at::Tensor probabilities, weights;  // (3, B, T, U+1), (B, T, U+1) float
  at::Tensor divergences;             // (B) float, once computed

  TargetTensors() = default;
  explicit TargetTensors(const NodeTargets& targets) {
    if (!targets.weights.defined()) return;
    probabilities = targets.probabilities.detach().to(at::kFloat).contiguous();
    weights = targets.weights.detach().to(at::kFloat).contiguous();
  }
  bool defined() const { return weights.defined(); }
  DeviceTargets view() const {
    if (!defined()) return {nullptr, nullptr};
    return {probabilities.const_data_ptr<float>(), weights.const_data_ptr<float>(),
            divergences.defined() ? divergences.const_data_ptr<float>() : nullptr};
  }
};

at::Tensor divergences(const Solve& solve, const TargetTensors& targets) {
  at::Tensor sums = at::empty({solve.batch.size()}, solve.terms.options());
  solve.device.kernels.divergences({.lattices = solve.packed.view(),
                                    .terms = solve.terms_view(),
                                    .targets = targets.view(),
                                    .delay_penalty = solve.batch.rules().delay_penalty,
                                    .divergences = sums.mutable_data_ptr<float>()},
                                   solve.device.stream());
  return sums;
}

/// Gradients of Σ weights · losses (and divergences), padded as the joiner's tensors are, summed
/// tile by tile.
class JoinerGradients {
 public:
  JoinerGradients(const Solve& solve, const PreparedJoiner& joiner, const TargetTensors& targets,
                  const variable_list& upstream)
      : solve_(solve),
        joiner_(joiner),
        targets_(targets.view()),
        weights_(upstream[0].to(at::kFloat).contiguous()),
        divergence_weights_(targets.defined() ? upstream[1].to(at::kFloat).contiguous() : weights_),
        encoder_(at::zeros_like(joiner.encoder)),
        predictor_(at::zeros_like(joiner.predictor)),
        weight_(at::zeros(joiner.weight.sizes(), joiner.bias.options())),
        bias_(at::zeros({joiner.columns()}, joiner.bias.options())) {}

  /// Those of encoder, predictor, weight and bias.
  std::array<at::Tensor, 4> sums() const { return {encoder_, predictor_, weight_, bias_}; }

  /// Adds a tile from its hidden vectors and logits; the gradient overwrites the logits.
  void add_tile(const TileStore& store, int64_t tile) {
    const at::Tensor hidden = store.hidden_of(tile);
    const at::Tensor gradient =
        make_logits_gradient(store.plan.first(tile), store.logits_of(tile), hidden);
    at::Tensor product = at::empty_like(weight_);
    solve_.device.multiply(gradient.t(), hidden, product);
    weight_.add_(product);
    bias_.add_(gradient.sum(0, false, at::kFloat));
    at::Tensor hidden_gradient =
        at::empty({gradient.size(0), joiner_.width()}, joiner_.bias.options());
    solve_.device.multiply(gradient, joiner_.weight, hidden_gradient);
    add_to_inputs(store.plan.first(tile), hidden_gradient);
  }

 private:
  at::Tensor make_logits_gradient(int64_t first, const at::Tensor& logits,
                                  const at::Tensor& hidden) const {
    // In bfloat16 every row occupies the first half of its logits' row.
    const at::Tensor gradient = logits.view(hidden.scalar_type()).narrow(1, 0, joiner_.columns());
    solve_.device.kernels.logits_gradient(
        {.lattices = solve_.packed.view(),
         .logits = tile_rows(logits),
         .bias = joiner_.bias.const_data_ptr<float>(),
         .classes = joiner_.classes(),
         .blank = solve_.batch.blank(),
         .first = first,
         .count = logits.size(0),
         .terms = solve_.terms_view(),
         .weights = weights_.const_data_ptr<float>(),
         .targets = targets_,
         .divergence_weights = divergence_weights_.const_data_ptr<float>(),
         .type = number_of(gradient),
         .gradient = gradient.mutable_data_ptr(),
         .stride = gradient.stride(0),
         .columns = joiner_.columns(),
         .hidden = hidden.mutable_data_ptr(),
         .width = joiner_.width()},
        solve_.device.stream());
    return gradient;
  }

  void add_to_inputs(int64_t first, const at::Tensor& hidden_gradient) const {
    const PackedBatch& packed = solve_.packed;
    const int64_t last = first + hidden_gradient.size(0) - 1;
    InputGradientArguments arguments{.lattices = packed.view(),
                                     .encoder = joiner_.encoder.const_data_ptr<float>(),
                                     .predictor = joiner_.predictor.const_data_ptr<float>(),
                                     .width = joiner_.width(),
                                     .first = first,
                                     .count = hidden_gradient.size(0),
                                     .relu = joiner_.relu,
                                     .hidden_gradient = hidden_gradient.const_data_ptr<float>(),
                                     .log_sum = solve_.terms_view().log_sum,
                                     .to_encoder = true,
                                     .first_line = packed.frame_of(first),
                                     .lines = packed.frame_of(last) + 1 - packed.frame_of(first),
                                     .gradient = encoder_.mutable_data_ptr<float>()};
    solve_.device.kernels.add_input_gradients(arguments, solve_.device.stream());
    arguments.to_encoder = false;
    arguments.first_line = packed.first_state()[packed.utterance_of(first)];
    arguments.lines = packed.first_state()[packed.utterance_of(last) + 1] - arguments.first_line;
    arguments.gradient = predictor_.mutable_data_ptr<float>();
    solve_.device.kernels.add_input_gradients(arguments, solve_.device.stream());
  }

  const Solve& solve_;
  const PreparedJoiner& joiner_;
  DeviceTargets targets_;
  at::Tensor weights_, divergence_weights_;
  at::Tensor encoder_, predictor_, weight_, bias_;
};

/// Band starts that stay on the device. Invalid rows (not ascending by one within 0 … U) cannot
/// raise an error here; their utterances are flagged instead. `first` is always valid for kernels.
struct RangesOnDevice {
  at::Tensor first;  // (B, T) int64
  at::Tensor wrong;  // (B) bool

  RangesOnDevice(const at::Tensor& ranges, const LatticeBatch& batch) {
    const at::Tensor states = ranges.to(at::kLong);
    const int64_t width = states.size(2), last = batch.max_states() - width;
    first = states.select(2, 0).clamp(0, last).contiguous();
    const at::Tensor differ =
        states.ne(first.unsqueeze(2) + at::arange(width, states.options())).any(2);
    const at::Tensor frames = at::arange(batch.max_frames(), states.options()).unsqueeze(0);
    const at::Tensor lengths = upload(batch.frames(), states.device()).unsqueeze(1);
    wrong = differ.logical_and(frames.lt(lengths)).any(1);
  }
};

/// The state that the forward half keeps for the backward half.
struct JoinerSolve {
  Solve solve;
  TileStore store;  // undefined tensors after a backward pass has used it
  TargetTensors targets;
  JoinerActivation activation;
  bool bf16;
};

/// Losses, and with targets the divergences, (B) each.
class DeviceJoinerLoss : public Function<DeviceJoinerLoss> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& encoder,
                               const at::Tensor& predictor, const at::Tensor& weight,
                               const at::Tensor& bias, JoinerActivation activation,
                               const LossDevice* device, const LatticeBatch& batch,
                               const NodeTargets& given, const JoinerSettings& settings,
                               bool gradient) {
    const c10::DeviceGuard guard(encoder.device());
    const PreparedJoiner joiner({encoder, predictor, weight, bias, activation}, settings.bf16);
    TargetTensors targets(given);
    Solve solve(*device, batch, encoder.device(), /*with_rest=*/targets.defined());
    TileStore store(plan_of(solve, joiner, settings.workspace_bytes, gradient), joiner);
    fill_tiles(solve, joiner, store, [](TermsArguments&) {});
    variable_list losses(1);
    if (targets.defined()) {
      targets.divergences = divergences(solve, targets);
      losses.push_back(targets.divergences.clone());
    }
    losses[0] = solve.solve_lattices(gradient);
    if (gradient) {
      ctx->save_for_backward({encoder, predictor, weight, bias});
      keep(ctx,
           JoinerSolve{std::move(solve), std::move(store), targets, activation, settings.bf16});
    }
    return losses;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& upstream) {
    const variable_list inputs = ctx->get_saved_variables();
    const c10::DeviceGuard guard(inputs[0].device());
    auto& forward = kept<JoinerSolve>(ctx);
    const PreparedJoiner joiner({inputs[0], inputs[1], inputs[2], inputs[3], forward.activation},
                                forward.bf16);
    const bool there = forward.store.logits.defined();
    // Gradients overwrite the logits: a second backward pass makes all logits again.
    const TileStore store = there ? forward.store : TileStore(forward.store.plan, joiner);
    forward.store.hidden = forward.store.logits = at::Tensor();
    JoinerGradients gradients(forward.solve, joiner, forward.targets, upstream);
    for (int64_t tile = store.plan.tiles() - 1; tile >= 0; --tile) {
      if (!there || !store.plan.stays(tile)) fill_tile(forward.solve, joiner, store, tile);
      gradients.add_tile(store, tile);
    }
    variable_list result(10);
    for (size_t i = 0; i < 4; ++i) result[i] = cut(gradients.sums()[i], inputs[i]);
    return result;
  }

 private:
  /// Without the padding, in the input's type.
  static at::Tensor cut(at::Tensor gradient, const at::Tensor& input) {
    for (int64_t i = 0; i < input.dim(); ++i) gradient = gradient.narrow(i, 0, input.size(i));
    return gradient.to(input.scalar_type());
  }
};

}  // namespace

at::Tensor device_joiner_loss(const LossDevice& device, const JoinerInputs& joiner,
                              const LatticeBatch& batch, const JoinerSettings& settings) {
  return DeviceJoinerLoss::apply(joiner.encoder, joiner.predictor, joiner.weight, joiner.bias,
                                 joiner.activation, &device, batch, NodeTargets(), settings,
                                 needs_gradient(joiner))[0];
}

at::Tensor device_pruned_joiner_loss(const LossDevice& device, const JoinerInputs& joiner,
                                     const at::Tensor& ranges, const LatticeBatch& batch,
                                     const JoinerSettings& settings) {
  const c10::DeviceGuard guard(joiner.encoder.device());
  const RangesOnDevice band(ranges, batch);
  const at::Tensor losses =
      device_joiner_loss(device, joiner, batch.band(band.first, ranges.size(2)), settings);
  return losses.masked_fill(band.wrong, std::numeric_limits<double>::quiet_NaN());
}

DistilledLoss device_distilled_loss(const LossDevice& device, const JoinerInputs& joiner,
                                    const LatticeBatch& batch, const NodeTargets& targets,
                                    const JoinerSettings& settings) {
  check_node_targets(batch, targets);
  const variable_list losses = DeviceJoinerLoss::apply(
      joiner.encoder, joiner.predictor, joiner.weight, joiner.bias, joiner.activation, &device,
      batch, targets, settings, needs_gradient(joiner));
  return {losses[0], losses[1]};
}

std::pair<at::Tensor, at::Tensor> device_joiner_arcs(const LossDevice& device,
                                                     const JoinerInputs& inputs,
                                                     const LatticeBatch& batch,
                                                     const JoinerSettings& settings) {
  const at::NoGradGuard no_grad;
  const c10::DeviceGuard guard(inputs.encoder.device());
  const PreparedJoiner joiner(inputs, settings.bf16);
  const Solve solve(device, batch, inputs.encoder.device());
  const at::Tensor rows =
      at::zeros({3, batch.size(), batch.max_frames(), batch.max_states()}, joiner.bias.options());
  const TileStore store(plan_of(solve, joiner, settings.workspace_bytes, /*keep=*/false), joiner);
  fill_tiles(solve, joiner, store, [&](TermsArguments& terms) {
    terms.padded_terms = true;
    auto* const first = rows.mutable_data_ptr<float>();
    terms.terms = {first, first + rows.stride(0), first + 2 * rows.stride(0), nullptr};
  });
  return {rows[1], rows[2]};
}

}  // namespace scion
