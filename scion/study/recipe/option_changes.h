// Differences between two sets of option values.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace scion {

/// The values of `other` that differ from `base`, nested as in `other`; both have the same keys.
nlohmann::json changed_values(const nlohmann::json& base, const nlohmann::json& other);

/// "train.peak_lr is 0.004, was 0.002" for the first value of `now` that differs; "" if all are
/// equal. `prefix` is prepended to its name.
std::string first_change(const nlohmann::json& before, const nlohmann::json& now,
                         const std::string& prefix = "");

}  // namespace scion
