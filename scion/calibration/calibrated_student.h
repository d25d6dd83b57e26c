// Students that are selected and calibrated with the help of audio.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "scion/calibration/calibration_config.h"
#include "scion/calibration/calibration_summary.h"
#include "scion/selection/student.h"

namespace scion {

struct CalibrationRequest {
  CalibrationConfig config;
  std::vector<std::filesystem::path> manifests;  ///< of the audio
};

struct CalibratedStudent {
  Student student;
  std::optional<CalibrationSummary> summary;  ///< if the student was calibrated
};

/// make_student(), then calibrate_student(). Without a request the student is only selected; with
/// one, rules that rank by activations take their scores from the audio.
CalibratedStudent make_calibrated_student(const ModelFile& teacher, const ModelConfig& config,
                                          const StudentRecipe& recipe,
                                          const std::optional<CalibrationRequest>& request);

/// Calibrates a student of `teacher` and records it in its provenance.
CalibrationSummary calibrate_student(const ModelFile& teacher, Student& student,
                                     const CalibrationRequest& request);

}  // namespace scion
