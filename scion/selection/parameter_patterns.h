// Patterns of parameter names, as users give them.
#pragma once

#include <string>
#include <vector>

#include "scion/nn/module.h"

namespace scion {

/// `*` matches anything, `?` one character. A pattern that matches a part of the model matches all
/// parameters in it: "encoder.layers.*.attention" matches "encoder.layers.0.attention.in.weight".
bool matches_parameter(const std::string& pattern, const std::string& name);

/// UserError with the nearest name for a pattern that matches no parameter.
void require_matches(const std::vector<std::string>& patterns, const Registry& model);

}  // namespace scion
