#include "scion/model/encoders/lstm_config.h"

#include "scion/core/options.h"
#include "scion/model/encoders/subsampling.h"

namespace scion {

void LstmConfig::declare(Options& options) {
  options.add("width", width, "width of the residual stream").range(1, 8192);
  options.add("layers", layers, "LSTM layers").range(1, 256);
  options.add("hidden", hidden, "memory cells of a layer").range(1, 65536);
  options.add("subsampling", subsampling, "feature frames per encoder frame: 4, 6 or 8")
      .range(4, 8);
  options
      .add("subsampling_channels", subsampling_channels, "channels of the subsampling convolutions")
      .range(1, 4096);
  options.add("dropout", dropout, "dropout rate").range(0, 0.9);
}

void LstmConfig::validate() const {
  require_known_subsampling({subsampling, subsampling_channels}, "model.lstm");
}

}  // namespace scion
