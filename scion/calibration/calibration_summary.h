// Result of a calibration: errors of every layer before and after.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace scion {

/// Error of one linear layer of the student with respect to its teacher.
struct LayerErrors {
  std::string name;  ///< of the weight
  int64_t teacher_inputs = 0, student_inputs = 0;
  /// E|teacher's outputs − student's|² over the variance of the teacher's, each model with its own
  /// inputs, before and after all changes.
  double before = 0, after = 0;
  bool compensated = false;
  int64_t parameters = 0;  ///< of the student's layer
};

struct CalibrationSummary {
  std::vector<LayerErrors> layers;  ///< in the order of computation
  int64_t batch_norms = 0;          ///< normalisations whose statistics were replaced
  int64_t utterances = 0;
  double audio_seconds = 0;
  int64_t student_parameters = 0;  ///< in all

  /// Share of the student's parameters that are in compensated layers.
  double compensated_share() const;
  nlohmann::json to_json() const;
  std::string to_text() const;
};

}  // namespace scion
