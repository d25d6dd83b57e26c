// What differs between two sets of values.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace scion {

/// What differs in `other`, nested as it is; both have the same keys.
nlohmann::json changed_values(const nlohmann::json& base, const nlohmann::json& other);

/// "train.peak_lr is 0.004, was 0.002" for the first value of `now` that differs; "" when all are
/// equal. `prefix` stands before its name.
std::string first_change(const nlohmann::json& before, const nlohmann::json& now,
                         const std::string& prefix = "");

}  // namespace scion
