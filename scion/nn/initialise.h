// Random initialisation of a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scion/nn/module.h"

namespace scion {

/// Sets every trainable parameter; numbers depend on (seed, parameter name) only.
///   xavier   uniform ±√(6 / (fan in + fan out)) for every matrix and kernel, biases zero
///            (Glorot & Bengio, 2010)
///   he       normal with deviation √(2 / fan in), biases zero (He et al., 2015)
///   default  as PyTorch's layers: weights and biases uniform ±1/√(fan in), embeddings normal
/// Scales of normalisations are one, their shifts zero. UserError for an unknown scheme.
void initialise(Registry& registry, const std::string& scheme, uint64_t seed);

/// The names that initialise() takes.
const std::vector<std::string>& random_schemes();
bool is_random_scheme(const std::string& name);

/// Fills one parameter from a normal distribution; numbers depend on (seed, parameter name) only.
void draw_normal(const Parameter& parameter, uint64_t seed, double mean, double deviation);

}  // namespace scion
