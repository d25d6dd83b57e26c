// The provenance of a model as text.
#pragma once

#include <string>

#include "scion/model/provenance.h"

namespace scion {

/// One paragraph: training, calibration and selection of the model, then, indented, those of the
/// model it started from, and so on.
std::string provenance_text(const Provenance& provenance);

}  // namespace scion
