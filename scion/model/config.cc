#include "scion/model/config.h"

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/loss/tdt_loss.h"

namespace scion {

void ModelConfig::declare(Options& options) {
  options.add("encoder", encoder, "kind of encoder");
  options.section("conformer", conformer, "the Conformer encoder");
  options.section("lstm", lstm, "the LSTM encoder");
  options.add("predictor", predictor, "kind of predictor: the last labels, or an LSTM over all");
  options.add("predictor_width", predictor_width, "width of the predictor").range(1, 8192);
  options.add("predictor_layers", predictor_layers, "layers of an LSTM predictor").range(1, 16);
  options.add("predictor_context", predictor_context, "labels that a stateless predictor sees")
      .range(1, 2);
  options.add("joiner_width", joiner_width, "width of the joiner").range(1, 8192);
  options.add("joiner_activation", joiner_activation, "activation function of the joiner");
  options.add("durations", durations,
              "durations in encoder frames, such as [0, 1, 2, 3, 4], that a token-and-duration "
              "transducer (TDT) predicts beside each token; empty: an RNN-T");
  options.add("ctc", ctc, "an auxiliary CTC head on the encoder");
  options.add("simple_joiner", simple_joiner,
              "a second joiner that only adds, which train.loss.kind = \"pruned\" needs");
  options.section("features", features, "log-mel features");
  options.section("text", text, "normalisation of texts before they are learnt or compared");
}

void ModelConfig::validate() const {
  visit_encoder([](const auto& config) { config.validate(); });
  if (durations.empty()) return;
  try {
    check_tdt_options({durations});
  } catch (const UserError& error) {
    throw UserError(fmt::format("model.durations: {}", error.what()), error.hint());
  }
}

int64_t ModelConfig::frame_factor() const {
  return visit_encoder([](const auto& config) { return config.frame_factor(); });
}

int64_t ModelConfig::squared_input_scale() const {
  return visit_encoder([](const auto& config) { return config.squared_input_scale(); });
}

ModelConfig ModelConfig::without_dropout() const {
  ModelConfig config = *this;
  config.conformer.dropout = config.lstm.dropout = 0;
  return config;
}

}  // namespace scion
