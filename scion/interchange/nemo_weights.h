// NeMo's weights under scion's names.
#pragma once

#include <map>
#include <string>

#include "scion/model/transducer.h"

namespace scion {

using NamedTensors = std::map<std::string, at::Tensor>;

/// Copies NeMo's tensors into a model of the same sizes; the blank's rows, last in NeMo, become the
/// first. UserError naming each tensor, of `file`, that is missing, has another shape, or has no
/// place in the model.
void copy_nemo_weights(const NamedTensors& nemo, Transducer& model, const std::string& file);

}  // namespace scion
