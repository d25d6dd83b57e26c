#include "scion/audio/augmentation/value_range.h"

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {

void add_bounds(Options& options, const Bounds& bounds, double& low, double& high) {
  const auto add = [&](const std::string& end, double& value, const std::string& which) {
    const std::string unit = bounds.unit == "dB" ? "_db" : "";
    options
        .add(fmt::format("{}_{}{}", bounds.name, end, unit), value,
             fmt::format("{}: {}", bounds.help, which))
        .range(bounds.least, bounds.most)
        .unit(bounds.unit);
  };
  add("low", low, "lowest");
  add("high", high, "highest");
}

void check_bounds(const std::string& name, double low, double high) {
  if (low > high)
    throw UserError(fmt::format("{}: from {} to {}", name, low, high),
                    "the lower bound must not exceed the upper one");
}

}  // namespace scion
