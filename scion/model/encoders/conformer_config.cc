#include "scion/model/encoders/conformer_config.h"

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/model/encoders/subsampling.h"

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
  options.add("subsampling", subsampling, "feature frames per encoder frame: 4, 6 or 8")
      .range(4, 8);
  options.add(
      "subsampling_kind", subsampling_kind,
      "strided convolutions with a row of zeros around their input (4 or 8), plain or "
      "depthwise; auto: depthwise_striding for 8, convolutions of whole frames for 4 and 6");
  options.add("causal_subsampling", causal_subsampling,
              "striding kinds: an encoder frame sees no feature frame after its first");
  options
      .add("subsampling_channels", subsampling_channels, "channels of the subsampling convolutions")
      .range(1, 4096);
  options.add("biases", biases,
              "biases of the layers' linear maps and convolutions; false: zero, and not trained");
  options.add("input_scaling", input_scaling,
              "multiply subsampled frames by the root of the width");
  options.add("chunk", chunk, "frames processed at once, for streaming; 0: the whole utterance")
      .range(0, 10000)
      .unit("encoder frames");
  options
      .add("left_context", left_context, "chunk > 0: frames that attention sees before the chunk")
      .range(0, 100000)
      .unit("encoder frames");
  options.add(
      "convolution", convolution,
      "frames that the convolution sees: on both sides, up to its own, up to its chunk's last");
  options.add("convolution_norm", convolution_norm, "normalisation in the convolution module");
  options.add("positions", positions,
              "relative positions: a learnt bias by head and distance, or sinusoids");
  options.add("position_range", position_range, "bias: farther distances share one value")
      .range(1, 10000)
      .unit("encoder frames");
  options.add("activation", activation, "activation function").choices({"relu", "swish"});
  options.add("dropout", dropout, "dropout rate").range(0, 0.9);
}

void ConformerConfig::validate() const {
  if (kernel % 2 == 0)
    throw UserError(fmt::format("model.conformer.kernel is {}, an even number", kernel),
                    "choose an odd number of taps, e.g. 15");
  require_known_subsampling(
      {subsampling, subsampling_channels, subsampling_kind, causal_subsampling}, "model.conformer");
  if (convolution == ConvolutionKind::chunked && chunk == 0)
    throw UserError("model.conformer.convolution is chunked, and model.conformer.chunk is 0",
                    "give a chunk in encoder frames, e.g. chunk = 16");
  if (positions == RelativePositions::sinusoid && width % 2 != 0)
    throw UserError(fmt::format("model.conformer.width is {}, and sinusoids come in pairs", width),
                    "choose an even width, or positions = \"bias\"");
}

}  // namespace scion
