// Options of the LSTM encoder.
#pragma once

#include <cstdint>

namespace scion {

class Options;

/// Long short-term memory over subsampled frames.
struct LstmConfig {
  int64_t width = 256;  ///< of the residual stream
  int64_t layers = 4;
  int64_t hidden = 512;     ///< memory cells of a layer
  int64_t subsampling = 4;  ///< feature frames per encoder frame: 4, 6 or 8, see subsampling.h
  int64_t subsampling_channels = 16;
  double dropout = 0.1;

  void declare(Options& options);
  /// UserError when values do not fit together.
  void validate() const;

  /// Feature frames per encoder frame.
  int64_t frame_factor() const { return subsampling; }
  /// Square of the factor of the subsampled frames before the first layer.
  int64_t squared_input_scale() const { return 1; }
};

}  // namespace scion
