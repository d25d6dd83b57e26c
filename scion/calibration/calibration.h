// What is done to a selected student with calibration audio: teacher and student hear the same,
// side by side, and the student's linear maps and statistics are changed, front to back, so that
// what it makes of the audio is what the teacher makes of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scion/calibration/calibration_audio.h"
#include "scion/selection/plan.h"

namespace scion {

class Options;

struct CalibrationConfig {
  /// Of linear maps. none; deviation: every row scaled so that its output has the teacher's mean
  /// and deviation; least-squares: weights by which the student's own inputs give the teacher's
  /// outputs.
  std::string compensate = "least-squares";
  /// Parts of the names of weights that are compensated; empty: all.
  std::vector<std::string> parts;
  double strength = 1;                 ///< 0: the weights as selected, 1: as compensated
  double ridge = 0.3;                  ///< see LeastSquaresOptions
  std::string shrink_to = "selected";  ///< see LeastSquaresOptions
  /// Where maps add to the residual stream. branch: they give what the teacher's maps give;
  /// residual: they lead to the teacher's stream, and so make up for earlier errors.
  std::string target = "branch";
  bool batch_norm = true;  ///< running means and variances from the audio
  double seconds = 600;    ///< of audio, at most

  void declare(Options& options);
};

/// How well a linear map of the student does what the teacher's does.
struct ReadOutRecord {
  std::string name;  ///< of the weight
  int64_t teacher_inputs = 0, student_inputs = 0;
  /// E|teacher's outputs − student's|² over the variance of the teacher's, each model with its own
  /// inputs, before and after all changes.
  double before = 0, after = 0;
  bool compensated = false;
  int64_t parameters = 0;  ///< of the student's map
};

struct CalibrationSummary {
  std::vector<ReadOutRecord> read_outs;  ///< in the order of computation
  int64_t batch_norms = 0;               ///< whose statistics were taken anew
  int64_t utterances = 0;
  double audio_seconds = 0;
  int64_t student_parameters = 0;  ///< in all

  /// Share of the student's parameters that are in compensated maps.
  double compensated_share() const;
  nlohmann::json to_json() const;
  std::string to_text() const;
};

/// Changes the student, which `plan` has taken from the teacher, in place. Both are on the CPU.
/// Every map and statistic is fitted to what the student makes of the audio when all before it have
/// been changed. UserError when no weight has one of `config.parts` in its name.
CalibrationSummary calibrate(const Transducer& teacher, Transducer& student, const Plan& plan,
                             CalibrationAudio audio, const CalibrationConfig& config);

}  // namespace scion
