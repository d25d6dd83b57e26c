// Names of parameters that a user gives: of a part, or a pattern.
#pragma once

#include <string>
#include <vector>

#include "scion/nn/module.h"

namespace scion {

/// `*` stands for anything, `?` for one character. A pattern that names a part of the model holds
/// for all inside it: "encoder.layers.*.attention" for "encoder.layers.0.attention.in.weight".
bool matches_parameter(const std::string& pattern, const std::string& name);

/// UserError with the nearest name for a pattern that holds for no parameter.
void require_matches(const std::vector<std::string>& patterns, const Registry& model);

}  // namespace scion
