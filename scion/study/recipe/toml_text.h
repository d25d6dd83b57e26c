// Recipes as TOML text.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

namespace scion {

// Strings and arrays of simple values have the same syntax in JSON and TOML.
template <class T>
std::string toml_line(const std::string& key, const T& value) {
  return fmt::format("{} = {}\n", key, nlohmann::json(value).dump());
}

inline std::string toml_line_unless_empty(const std::string& key, const std::string& value) {
  return value.empty() ? "" : toml_line(key, value);
}

/// A nested object as tables below `[name]`.
inline std::string toml_tables(const std::string& name, const nlohmann::json& object) {
  std::string values, tables;
  for (const auto& [key, value] : object.items())
    if (value.is_object())
      tables += toml_tables(fmt::format("{}.{}", name, key), value);
    else
      values += toml_line(key, value);
  return (values.empty() ? "" : "[" + name + "]\n" + values) + tables;
}

}  // namespace scion
