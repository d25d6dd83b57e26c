// Options that come in pairs: the lowest and the highest value that something is drawn from.
#pragma once

#include <string>

namespace scion {

class Options;

struct Bounds {
  std::string name, help;
  double least = 0, most = 0;  ///< what both may be, inclusive
  std::string unit;
};
/// Declares `NAME_low` and `NAME_high`, with `_db` behind where the unit is dB.
void add_bounds(Options& options, const Bounds& bounds, double& low, double& high);

/// UserError naming `name` when low exceeds high.
void check_bounds(const std::string& name, double low, double high);

}  // namespace scion
