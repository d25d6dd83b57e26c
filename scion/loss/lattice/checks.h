// Checks of a loss's inputs. Internal to scion/loss.
#pragma once

#include <initializer_list>

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// UserError unless the type is float32, bfloat16 or float16.
void check_float_type(const at::Tensor& tensor, const char* name);

/// The number of token classes among a node's outputs: all but the durations. UserError if none are
/// left.
int64_t token_classes(int64_t outputs, const LatticeRules& rules);

/// The batch of `size` lattices over `classes` classes with at most `max_frames` frames (the
/// logits' B, V and T; U comes from the tokens). UserError on wrong shapes or types, lengths or
/// labels out of range, a label equal to the blank, rules that are not finite.
LatticeBatch check_lattice_batch(int64_t size, int64_t max_frames, int64_t classes,
                                 const LatticeLabels& labels, const LatticeRules& rules);

/// The batch of a joiner's lattices. UserError as check_lattice_batch() and check_float_type(), and
/// if the shapes (B, T, D), (B, U+1, D), (V, D), (V) and tokens (B, U) do not fit together. With
/// durations in the rules, weight and bias have a row more for each.
LatticeBatch check_joiner_batch(const JoinerInputs& joiner, const LatticeLabels& labels,
                                const LatticeRules& rules);

/// UserError if the targets' sizes differ from the batch's.
void check_node_targets(const LatticeBatch& batch, const NodeTargets& targets);

/// True if autograd will need a backward pass for an operation on these tensors.
bool needs_gradient(std::initializer_list<at::Tensor> tensors);
bool needs_gradient(const JoinerInputs& joiner);

}  // namespace scion
