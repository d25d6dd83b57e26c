// Controls: initialisations with the scale of the selected weights but without their structure.
#pragma once

#include <cstdint>

#include "scion/nn/module.h"

namespace scion {

/// Permutes the values within every weight tensor and every bias.
void shuffle_inside_tensors(Registry& registry, uint64_t seed);

/// Redraws every weight tensor and every bias from a normal distribution with the tensor's own mean
/// and standard deviation.
void redraw_with_own_deviation(Registry& registry, uint64_t seed);

}  // namespace scion
