// Keys of recipes written for older programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace scion {

/// The parsed recipe with [[schedules]], primary_schedule, schedule, schedules and
/// baseline_schedule renamed to [[budgets]], primary_budget, budget, budgets and baseline_budget.
/// UserError naming `place` if an old key and its new name occur together.
nlohmann::json with_new_keys(nlohmann::json recipe, const std::string& place);

}  // namespace scion
