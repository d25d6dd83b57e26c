#include "scion/model/config.h"

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {

void ConformerConfig::declare(Options& options) {
  options.add("width", width, "width of the residual stream").range(1, 8192);
  options.add("layers", layers, "Conformer layers").range(1, 256);
  options.add("heads", heads, "attention heads").range(1, 256);
  options.add("head_width", head_width, "width of a head's queries, keys and values")
      .range(1, 1024);
  options.add("feed_forward", feed_forward, "hidden units of a feed-forward module")
      .range(1, 65536);
  options.add("kernel", kernel, "taps of the depthwise convolution, odd").range(1, 255);
  options.add("subsampling", subsampling, "feature frames in an encoder frame: 4 or 6").range(4, 6);
  options
      .add("subsampling_channels", subsampling_channels, "channels of the subsampling convolutions")
      .range(1, 4096);
  options.add("convolution_norm", convolution_norm, "normalisation in the convolution module")
      .choices({"batch", "layer"});
  options
      .add("positions", positions,
           "relative positions: a learnt bias by head and distance, or sinusoids")
      .choices({"bias", "sinusoid"});
  options.add("position_range", position_range, "bias: farther distances share one value")
      .range(1, 10000)
      .unit("encoder frames");
  options.add("activation", activation, "activation function").choices({"relu", "swish"});
  options.add("dropout", dropout, "dropout rate").range(0, 0.9);
}

void ModelConfig::declare(Options& options) {
  options.add("encoder", encoder, "kind of encoder").choices({"conformer"});
  options.section("conformer", conformer, "the Conformer encoder");
  options.add("predictor_width", predictor_width, "width of the stateless predictor")
      .range(1, 8192);
  options.add("predictor_context", predictor_context, "labels that the predictor sees").range(1, 2);
  options.add("joiner_width", joiner_width, "width of the joiner").range(1, 8192);
  options.add("ctc", ctc, "an auxiliary CTC head on the encoder");
  options.section("features", features, "log-mel features");
  options.section("text", text, "what is done to texts before they are learnt or compared");
}

void ModelConfig::validate() const {
  if (conformer.kernel % 2 == 0)
    throw UserError(fmt::format("model.conformer.kernel is {}, an even number", conformer.kernel),
                    "choose an odd number of taps, e.g. 15");
  if (conformer.subsampling != 4 && conformer.subsampling != 6)
    throw UserError(fmt::format("model.conformer.subsampling is {}", conformer.subsampling),
                    "choose 4 or 6");
  if (conformer.positions == "sinusoid" && conformer.width % 2 != 0)
    throw UserError(
        fmt::format("model.conformer.width is {}, and sinusoids come in pairs", conformer.width),
        "choose an even width, or positions = \"bias\"");
}

}  // namespace scion
