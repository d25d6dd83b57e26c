// Numbers of a report as text.
#pragma once

#include <optional>
#include <string>

#include "scion/study/analysis/speedup.h"

namespace scion {

/// Fixed-point text with a real minus sign, never "-0".
std::string number_text(double value, int decimals);
/// "", "≥ ", "≤ ".
std::string bound_sign(Bound bound);
/// "≥ 2.99×", "–" if unknown.
std::string ratio_text(const std::optional<Ratio>& ratio);
/// "20 epochs", "1 epoch".
std::string epochs_text(double epochs);

}  // namespace scion
