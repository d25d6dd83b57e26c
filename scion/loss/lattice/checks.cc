#include "scion/loss/lattice/checks.h"

#include "scion/core/error.h"
#include "scion/core/tensor_text.h"

namespace scion {
namespace {

at::Tensor whole_numbers(const at::Tensor& tensor, const char* name, int64_t dimensions,
                         int64_t size) {
  if (tensor.dim() != dimensions || tensor.size(0) != size) {
    throw UserError(
        fmt::format("{} have shape {} for {} utterances", name, shape_text(tensor), size),
        dimensions == 1 ? "give one length per utterance" : "give (B, U) tokens");
  }
  if (!at::isIntegralType(tensor.scalar_type(), false)) {
    throw UserError(fmt::format("{} are of type {}", name, at::toString(tensor.scalar_type())),
                    "give int64");
  }
  return tensor.to(at::kCPU, at::kLong).contiguous();
}

void check_rules(const LatticeRules& rules, int64_t classes) {
  if (rules.blank < 0 || rules.blank >= classes) {
    throw UserError(fmt::format("the blank is {} of {} classes", rules.blank, classes),
                    fmt::format("it must be in 0 … {}", classes - 1));
  }
  if (!std::isfinite(rules.fast_emit) || !std::isfinite(rules.delay_penalty)) {
    throw UserError(fmt::format("FastEmit {} and delay penalty {} must be finite", rules.fast_emit,
                                rules.delay_penalty),
                    "0 turns either off");
  }
}

void check_length(const char* name, int64_t b, int64_t length, int64_t least, int64_t most) {
  if (length >= least && length <= most) return;
  throw UserError(fmt::format("the {} of utterance {} is {}", name, b, length),
                  fmt::format("it must be in {} … {}", least, most));
}

void check_labels(const LatticeBatch& batch, int64_t b, int64_t classes) {
  for (int64_t u = 0; u + 1 < batch.states_of(b); ++u) {
    const int64_t label = batch.labels_of(b)[u];
    if (label < 0 || label >= classes) {
      throw UserError(fmt::format("label {} of utterance {} is {}", u, b, label),
                      fmt::format("labels must be in 0 … {}", classes - 1));
    }
    if (label == batch.blank()) {
      throw UserError(fmt::format("label {} of utterance {} is the blank, {}", u, b, label),
                      "the blank cannot be a label: check the tokenizer");
    }
  }
}

}  // namespace

void check_float_type(const at::Tensor& tensor, const char* name) {
  const at::ScalarType type = tensor.scalar_type();
  if (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf) return;
  throw UserError(fmt::format("{} are of type {}", name, at::toString(type)),
                  "give float32, bfloat16 or float16");
}

int64_t token_classes(int64_t outputs, const LatticeRules& rules) {
  const auto durations = static_cast<int64_t>(rules.durations.size());
  if (outputs > durations) return outputs - durations;
  throw UserError(fmt::format("{} logits hold no token besides {} durations", outputs, durations),
                  "give the logits of all tokens, blank included, and then one for each duration");
}

LatticeBatch check_lattice_batch(int64_t size, int64_t max_frames, int64_t classes,
                                 const LatticeLabels& labels, const LatticeRules& rules) {
  const LatticeBatch batch(whole_numbers(labels.tokens, "tokens", 2, size),
                           whole_numbers(labels.frame_lengths, "frame lengths", 1, size),
                           whole_numbers(labels.token_lengths, "token lengths", 1, size) + 1,
                           max_frames, rules);
  check_rules(rules, classes);
  for (int64_t b = 0; b < size; ++b) {
    check_length("frame length", b, batch.frames_of(b), 0, max_frames);
    check_length("token length", b, batch.states_of(b) - 1, 0, batch.max_states() - 1);
    check_labels(batch, b, classes);
  }
  return batch;
}

LatticeBatch check_joiner_batch(const JoinerInputs& joiner, const LatticeLabels& labels,
                                const LatticeRules& rules) {
  const auto& [encoder, predictor, weight, bias, activation] = joiner;
  check_float_type(encoder, "encoder outputs");
  check_float_type(predictor, "predictor outputs");
  check_float_type(weight, "joiner weights");
  check_float_type(bias, "joiner biases");
  const at::Tensor& tokens = labels.tokens;
  const bool right = encoder.dim() == 3 && predictor.dim() == 3 && weight.dim() == 2 &&
                     bias.dim() == 1 && tokens.dim() == 2 && predictor.size(0) == encoder.size(0) &&
                     predictor.size(1) == tokens.size(1) + 1 &&
                     predictor.size(2) == encoder.size(2) && weight.size(1) == encoder.size(2) &&
                     bias.size(0) == weight.size(0);
  if (!right) {
    throw UserError(fmt::format("encoder {}, predictor {}, weight {}, bias {} and tokens {} do "
                                "not fit together",
                                shape_text(encoder), shape_text(predictor), shape_text(weight),
                                shape_text(bias), shape_text(tokens)),
                    "give (B, T, D), (B, U+1, D), (V, D), (V) and (B, U)");
  }
  return check_lattice_batch(encoder.size(0), encoder.size(1), token_classes(weight.size(0), rules),
                             labels, rules);
}

void check_node_targets(const LatticeBatch& batch, const NodeTargets& targets) {
  const int64_t frames = batch.max_frames(), states = batch.max_states();
  const std::vector<int64_t> size = {batch.size(), frames, states};
  if (targets.weights.sizes() != size || targets.probabilities.dim() != 4 ||
      targets.probabilities.size(0) != 3 || targets.probabilities[0].sizes() != size) {
    throw UserError(
        fmt::format("a teacher's nodes {} and weights {} do not fit a lattice of {} utterances, {} "
                    "frames and {} states",
                    shape_text(targets.probabilities), shape_text(targets.weights), batch.size(),
                    frames, states),
        "teacher and student need the same frames and labels");
  }
}

bool needs_gradient(std::initializer_list<at::Tensor> tensors) {
  return at::GradMode::is_enabled() &&
         std::any_of(tensors.begin(), tensors.end(),
                     [](const at::Tensor& tensor) { return tensor.requires_grad(); });
}

bool needs_gradient(const JoinerInputs& joiner) {
  return needs_gradient({joiner.encoder, joiner.predictor, joiner.weight, joiner.bias});
}

}  // namespace scion
