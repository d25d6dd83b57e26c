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
  options.add("subsampling", subsampling, "feature frames in an encoder frame: 4, 6 or 8")
      .range(4, 8);
  options
      .add("subsampling_channels", subsampling_channels, "channels of the subsampling convolutions")
      .range(1, 4096);
  options.add("input_scaling", input_scaling,
              "multiply subsampled frames by the root of the width");
  options.add("chunk", chunk, "frames that are seen at once, for streaming; 0: the whole utterance")
      .range(0, 10000)
      .unit("encoder frames");
  options
      .add("left_context", left_context, "chunk > 0: frames that attention sees before the chunk")
      .range(0, 100000)
      .unit("encoder frames");
  options
      .add("convolution", convolution,
           "frames that the convolution sees: on both sides, up to its own, up to its chunk's last")
      .choices({"centred", "causal", "chunked"});
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

void LstmConfig::declare(Options& options) {
  options.add("width", width, "width of the residual stream").range(1, 8192);
  options.add("layers", layers, "LSTM layers").range(1, 256);
  options.add("hidden", hidden, "memory cells of a layer").range(1, 65536);
  options.add("subsampling", subsampling, "feature frames in an encoder frame: 4, 6 or 8")
      .range(4, 8);
  options
      .add("subsampling_channels", subsampling_channels, "channels of the subsampling convolutions")
      .range(1, 4096);
  options.add("dropout", dropout, "dropout rate").range(0, 0.9);
}

void ModelConfig::declare(Options& options) {
  options.add("encoder", encoder, "kind of encoder").choices({"conformer", "lstm"});
  options.section("conformer", conformer, "the Conformer encoder");
  options.section("lstm", lstm, "the LSTM encoder");
  options.add("predictor", predictor, "kind of predictor: the last labels, or an LSTM over all")
      .choices({"stateless", "lstm"});
  options.add("predictor_width", predictor_width, "width of the predictor").range(1, 8192);
  options.add("predictor_layers", predictor_layers, "layers of an LSTM predictor").range(1, 16);
  options.add("predictor_context", predictor_context, "labels that a stateless predictor sees")
      .range(1, 2);
  options.add("joiner_width", joiner_width, "width of the joiner").range(1, 8192);
  options.add("ctc", ctc, "an auxiliary CTC head on the encoder");
  options.add("simple_joiner", simple_joiner,
              "a second joiner that only adds, which train.loss.kind = \"pruned\" needs");
  options.section("features", features, "log-mel features");
  options.section("text", text, "what is done to texts before they are learnt or compared");
}

int64_t ModelConfig::subsampling() const {
  return encoder == "lstm" ? lstm.subsampling : conformer.subsampling;
}

void ModelConfig::validate() const {
  if (conformer.kernel % 2 == 0)
    throw UserError(fmt::format("model.conformer.kernel is {}, an even number", conformer.kernel),
                    "choose an odd number of taps, e.g. 15");
  if (subsampling() != 4 && subsampling() != 6 && subsampling() != 8)
    throw UserError(fmt::format("model.{}.subsampling is {}", encoder, subsampling()),
                    "choose 4, 6 or 8");
  if (conformer.convolution == "chunked" && conformer.chunk == 0)
    throw UserError("model.conformer.convolution is chunked, and model.conformer.chunk is 0",
                    "give a chunk in encoder frames, e.g. chunk = 16");
  if (conformer.positions == "sinusoid" && conformer.width % 2 != 0)
    throw UserError(
        fmt::format("model.conformer.width is {}, and sinusoids come in pairs", conformer.width),
        "choose an even width, or positions = \"bias\"");
}

}  // namespace scion
