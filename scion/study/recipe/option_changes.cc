#include "scion/study/recipe/option_changes.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace scion {

nlohmann::json changed_values(const nlohmann::json& base, const nlohmann::json& other) {
  nlohmann::json changed = nlohmann::json::object();
  for (const auto& [key, value] : other.items()) {
    if (!value.is_object()) {
      if (!base.contains(key) || base.at(key) != value) changed[key] = value;
      continue;
    }
    nlohmann::json below = changed_values(base.value(key, nlohmann::json::object()), value);
    if (!below.empty()) changed[key] = std::move(below);
  }
  return changed;
}

std::string first_change(const nlohmann::json& before, const nlohmann::json& now,
                         const std::string& prefix) {
  const nlohmann::json changed = changed_values(before, now);
  for (const auto& [key, value] : changed.items()) {
    if (value.is_object())
      return first_change(before.value(key, nlohmann::json::object()), value, prefix + key + ".");
    return fmt::format("{}{} is {}, was {}", prefix, key, value.dump(),
                       before.value(key, nlohmann::json()).dump());
  }
  return "";
}

}  // namespace scion
