#include "scion/calibration/calibration_config.h"

#include "scion/core/options.h"

namespace scion {

void CalibrationConfig::declare(Options& options) {
  options.add("compensate", compensate,
              "how linear layers are fitted to the teacher's outputs: not at all, in deviation and "
              "mean, by least squares");
  options.add("ridge", ridge, "least squares: ridge over the inputs' mean variance")
      .range(1e-12, 1e6);
  options.add("batch_norm", batch_norm,
              "take the statistics of batch normalisations from the audio");
  options.add("seconds", seconds, "maximum duration of the calibration audio")
      .range(0, 1e9)
      .unit("s");
}

}  // namespace scion
