// Random initialisations, and the two controls that tell a selection's structure from its scale.
#pragma once

#include <cstdint>
#include <string>

#include "scion/model/module.h"

namespace scion {

/// Sets every trainable parameter; numbers depend on (seed, parameter name) only.
///   xavier   uniform ±√(6 / (fan in + fan out)) for every matrix and kernel, biases zero
///            (Glorot & Bengio, 2010)
///   he       normal with deviation √(2 / fan in), biases zero (He et al., 2015)
///   default  what PyTorch's layers do: uniform ±1/√(fan in), biases alike; embeddings normal
/// Scales of normalisations are one, their shifts zero. UserError for another name.
void initialise(Registry& registry, const std::string& scheme, uint64_t seed);

/// Control: the values of every tensor of dimension 2 or more, and every bias, change places inside
/// the tensor.
void shuffle_inside_tensors(Registry& registry, uint64_t seed);

/// Control: every such tensor drawn anew, normal with the tensor's own mean and deviation.
void redraw_with_own_deviation(Registry& registry, uint64_t seed);

}  // namespace scion
