// Calibration: fits a selected student's linear layers and normalisation statistics to its teacher
// on audio, front to back, without training.
#pragma once

#include "scion/calibration/calibration_audio.h"
#include "scion/calibration/calibration_config.h"
#include "scion/calibration/calibration_summary.h"
#include "scion/selection/plan.h"

namespace scion {

/// Changes the student, which `plan` has taken from the teacher, in place. Both models are on the
/// CPU. Every layer is fitted with the inputs that it gets once all layers before it are changed.
/// UserError if the two models have different pieces.
CalibrationSummary calibrate(const Transducer& teacher, Transducer& student, const Plan& plan,
                             CalibrationAudio audio, const CalibrationConfig& config);

}  // namespace scion
