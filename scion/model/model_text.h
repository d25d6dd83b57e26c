// A model as text and as JSON: tensors, sizes, configuration.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scion/model/model_file.h"

namespace scion {

/// Configuration, provenance, and every tensor with its shape and the full names of its leaves.
nlohmann::json model_json(const ModelFile& file);

/// A line for every tensor, with the last part of its leaves' names, then the trainable parameters
/// of every part of the model.
std::string model_text(const ModelFile& file);

}  // namespace scion
