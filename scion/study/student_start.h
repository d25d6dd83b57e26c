// How a selected student of a comparison starts: its first weights, and the record of them.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scion/study/recipe/arm.h"

namespace scion {

/// What decides a start, as it is kept beside the run: rules, control, calibration, teacher.
nlohmann::json start_json(const RecipeArm& arm, const std::filesystem::path& teacher, int64_t seed);

/// What of `start` is not as the file has it: "select.layers is "even", was "first""; "" when all
/// is. Where the teacher lies does not count.
std::string changed_start(const std::filesystem::path& file, const nlohmann::json& start);

/// Selects the student of `config` from the teacher, calibrates it on at most
/// `arm.calibration->seconds` of the run's own training audio where the arm says so, applies the
/// arm's control, and writes the model file.
void write_start(const RecipeArm& arm, const std::filesystem::path& teacher, int64_t seed,
                 const RunConfig& config, const std::filesystem::path& path);

}  // namespace scion
