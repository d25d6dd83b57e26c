#include "scion/calibration/calibrated_student.h"

#include <nlohmann/json.hpp>

#include "scion/calibration/activation_scores.h"
#include "scion/calibration/calibrator.h"
#include "scion/core/options.h"

namespace scion {
namespace {

Provenance::Calibrated record(const CalibrationConfig& config, const CalibrationSummary& summary) {
  return {.options = options_json(config).dump(), .summary = summary.to_json().dump()};
}

CalibrationAudio audio_of(const CalibrationRequest& request, const ModelFile& teacher) {
  return read_calibration_audio(request.manifests, teacher, request.config.seconds);
}

}  // namespace

CalibratedStudent make_calibrated_student(const ModelFile& teacher, const ModelConfig& config,
                                          const StudentRecipe& recipe,
                                          const std::optional<CalibrationRequest>& request) {
  if (!request) return {make_student(teacher, config, recipe), {}};
  const CalibrationAudio audio = audio_of(*request, teacher);
  const bool ranks =
      recipe.rules.elements == ElementRule::activation || recipe.rules.heads == HeadRule::ranked;
  const LeafScores scores =
      ranks ? activation_scores(*teacher.model, audio, grain_of(recipe.rules)) : LeafScores{};
  CalibratedStudent made{make_student(teacher, config, recipe, scores), {}};
  if (request->config.compensate != Compensation::none || request->config.batch_norm)
    made.summary = calibrate(*teacher.model, *made.student.file.model, made.student.plan, audio,
                             request->config);
  made.student.file.provenance.calibrated =
      record(request->config, made.summary.value_or(CalibrationSummary{}));
  return made;
}

CalibrationSummary calibrate_student(const ModelFile& teacher, Student& student,
                                     const CalibrationRequest& request) {
  CalibrationSummary summary = calibrate(*teacher.model, *student.file.model, student.plan,
                                         audio_of(request, teacher), request.config);
  student.file.provenance.calibrated = record(request.config, summary);
  return summary;
}

}  // namespace scion
