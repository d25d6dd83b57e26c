#include "scion/study/recipe/old_keys.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"

namespace scion {
namespace {

void rename(nlohmann::json& table, const std::string& old_key, const std::string& new_key,
            const std::string& place) {
  if (!table.is_object() || !table.contains(old_key)) return;
  if (table.contains(new_key))
    throw UserError(fmt::format("{}: both '{}' and '{}' are set", place, old_key, new_key),
                    fmt::format("'{}' is the old name of '{}': remove it", old_key, new_key));
  table[new_key] = std::move(table[old_key]);
  table.erase(old_key);
}

}  // namespace

nlohmann::json with_new_keys(nlohmann::json recipe, const std::string& place) {
  rename(recipe, "schedules", "budgets", place);
  if (recipe.contains("study"))
    rename(recipe["study"], "primary_schedule", "primary_budget", place + " [study]");
  for (const auto& [list, old_key, new_key] :
       {std::tuple{"arms", "schedules", "budgets"},
        {"comparisons", "schedule", "budget"},
        {"comparisons", "baseline_schedule", "baseline_budget"},
        {"checks", "schedule", "budget"},
        {"checks", "baseline_schedule", "baseline_budget"}})
    if (recipe.contains(list))
      for (nlohmann::json& table : recipe[list])
        rename(table, old_key, new_key, fmt::format("{} [[{}]]", place, list));
  return recipe;
}

}  // namespace scion
