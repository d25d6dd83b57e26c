// Options of a calibration.
#pragma once

#include "scion/core/option_words.h"

namespace scion {

class Options;

/// Fitting of linear layers, see CalibrationConfig::compensate.
enum class Compensation { none, deviation, least_squares };
template <>
inline constexpr std::array option_words<Compensation>{"none", "deviation", "least-squares"};

struct CalibrationConfig {
  /// Linear layers. none; deviation: every row is scaled so that its output has the teacher's mean
  /// and deviation; least-squares: weights by which the student's own inputs give the teacher's
  /// outputs.
  Compensation compensate = Compensation::least_squares;
  double ridge = 0.3;      ///< of least_squares()
  bool batch_norm = true;  ///< take running means and variances from the audio
  double seconds = 600;    ///< of audio, at most

  void declare(Options& options);
};

}  // namespace scion
