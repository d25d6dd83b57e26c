// The main result of a report in one sentence and a few figures.
#pragma once

#include <string>
#include <vector>

#include "scion/study/report/report.h"

namespace scion {

/// One sentence: the primary comparison with its interval or, without one, the speed-up on the
/// first set. "" without results of two arms.
std::string headline(const StudyReport& report);

/// A large figure under the headline.
struct KeyFigure {
  std::string value, label;
};
std::vector<KeyFigure> key_figures(const StudyReport& report);

}  // namespace scion
