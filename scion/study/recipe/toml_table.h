// One table of a recipe, read key by key.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {

/// UserErrors for keys that are missing, have the wrong type, or are unknown.
class TomlTable {
 public:
  TomlTable(nlohmann::json table, std::string place)
      : table_(std::move(table)), place_(std::move(place)) {
    if (!table_.is_object()) throw UserError(place_ + " is not a table", "see recipes/an4");
  }

  template <class T>
  void read(const std::string& key, T& value, bool required = false) {
    known_.push_back(key);
    if (!table_.contains(key)) {
      if (required)
        throw UserError(fmt::format("{}: '{}' is missing", place_, key), "see recipes/an4");
      return;
    }
    try {
      table_.at(key).get_to(value);
    } catch (const nlohmann::json::exception&) {
      throw UserError(
          fmt::format("{}: '{}' has the wrong type: {}", place_, key, table_.at(key).dump()),
          "see recipes/an4");
    }
  }

  bool has(const std::string& key) const { return table_.contains(key); }

  /// The value as it is; null if there is none.
  nlohmann::json take(const std::string& key) {
    known_.push_back(key);
    return table_.value(key, nlohmann::json());
  }

  void finish() const {
    for (const auto& [key, value] : table_.items()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string near = nearest_name(key, known_);
      throw UserError(fmt::format("{}: unknown key '{}'", place_, key),
                      near.empty() ? fmt::format("known keys: {}", fmt::join(known_, ", "))
                                   : fmt::format("did you mean '{}'?", near));
    }
  }

 private:
  nlohmann::json table_;
  std::string place_;
  std::vector<std::string> known_;
};

}  // namespace scion
