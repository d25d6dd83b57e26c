// The finding of a report in one sentence and in a few figures.
#pragma once

#include <string>
#include <vector>

#include "scion/study/report/report.h"

namespace scion {

/// The finding in one sentence: the primary comparison with its interval or, without one, the first
/// set's speed-up. "" without results of two arms.
std::string headline(const StudyReport& report);

/// A figure that stands out under the headline.
struct KeyFigure {
  std::string value, label;
};
std::vector<KeyFigure> key_figures(const StudyReport& report);

}  // namespace scion
