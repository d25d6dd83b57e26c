// Configuration of a model, and named configurations (presets).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scion/audio/fbank.h"
#include "scion/core/option_words.h"
#include "scion/loss/lattice/types.h"
#include "scion/model/encoders/conformer_config.h"
#include "scion/model/encoders/lstm_config.h"
#include "scion/text/normalisation.h"

namespace scion {

class Options;

/// Kind of encoder.
enum class EncoderKind { conformer, lstm };
template <>
inline constexpr std::array option_words<EncoderKind>{"conformer", "lstm"};

template <>
inline constexpr std::array option_words<JoinerActivation>{"tanh", "relu"};

/// Kind of predictor: over the last labels, or an LSTM over all.
enum class PredictorKind { stateless, lstm };
template <>
inline constexpr std::array option_words<PredictorKind>{"stateless", "lstm"};

struct ModelConfig {
  EncoderKind encoder = EncoderKind::conformer;
  ConformerConfig conformer;
  LstmConfig lstm;
  PredictorKind predictor = PredictorKind::stateless;
  int64_t predictor_width = 64;
  int64_t predictor_layers = 1;   ///< of an LSTM predictor
  int64_t predictor_context = 2;  ///< labels the stateless predictor sees
  int64_t joiner_width = 64;
  JoinerActivation joiner_activation = JoinerActivation::tanh;
  /// Encoder frames of a token-and-duration transducer's (TDT) durations; empty: an RNN-T.
  std::vector<int64_t> durations;
  bool ctc = true;             ///< an auxiliary CTC head on the encoder
  bool simple_joiner = false;  ///< heads of the pruned loss's first pass, for training only
  FeatureConfig features;
  NormalisationConfig text;  ///< of texts, before they are learnt or compared

  void declare(Options& options);
  /// UserError when values do not fit together.
  void validate() const;

  /// Calls visit(options of the encoder that is used, the others' options of the same encoder …);
  /// the only place that looks at the kind of encoder.
  template <class Visit, class... Others>
  auto visit_encoder(const Visit& visit, const Others&... others) const {
    if (encoder == EncoderKind::conformer) return visit(conformer, others.conformer...);
    return visit(lstm, others.lstm...);
  }
  /// Feature frames per encoder frame.
  int64_t frame_factor() const;
  ModelConfig without_dropout() const;
  /// Square of the factor of the subsampled frames before the encoder's first layer.
  int64_t squared_input_scale() const;
};

/// Named configurations; UserError with the nearest name for an unknown one.
ModelConfig preset(const std::string& name);
std::vector<std::string> preset_names();

}  // namespace scion
