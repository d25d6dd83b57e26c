// The start of a selected student in a study: its first weights and their record.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scion/study/recipe/arm.h"

namespace scion {

/// Everything that decides a start, as stored with the run: rules, control, calibration, teacher.
/// `checksum`: of a teacher that is given as a file; "" for one that the study trains.
nlohmann::json start_json(const RecipeArm& arm, const std::filesystem::path& teacher,
                          const std::string& checksum, int64_t seed);

/// The first difference of `start` from the stored one: "select.layers is "even", was "first""; ""
/// if there is none. The teacher's path does not count; the bytes of one that is given do.
std::string changed_start(const std::filesystem::path& file, const nlohmann::json& start);

/// Selects the student of `config` from the teacher, calibrates it on at most
/// `arm.calibration->seconds` of the run's training audio if the arm has a calibration, applies the
/// arm's control, and writes the model file.
void write_start(const RecipeArm& arm, const std::filesystem::path& teacher, int64_t seed,
                 const RunConfig& config, const std::filesystem::path& path);

}  // namespace scion
