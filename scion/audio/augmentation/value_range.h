// Pairs of options: the lowest and the highest value of a random draw.
#pragma once

#include <string>

namespace scion {

class Options;

struct Bounds {
  std::string name, help;
  double least = 0, most = 0;  ///< limits of both, inclusive
  std::string unit;
};
/// Declares `NAME_low` and `NAME_high`, with the suffix `_db` where the unit is dB.
void add_bounds(Options& options, const Bounds& bounds, double& low, double& high);

/// UserError naming `name` when low exceeds high.
void check_bounds(const std::string& name, double low, double high);

}  // namespace scion
