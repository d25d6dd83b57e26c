// An encoder of LSTM layers: causal, so that it streams frame by frame.
#pragma once

#include <memory>
#include <vector>

#include "scion/model/encoders/encoder.h"
#include "scion/model/encoders/lstm_config.h"
#include "scion/nn/lstm.h"

namespace scion {

/// x + W · LSTM(LayerNorm(x)) + b
class LstmLayer : public Module {
 public:
  LstmLayer(const Scope& scope, const LstmConfig& config, const Axis& residual);
  LstmState start(int64_t batch) const { return lstm_.start(batch); }
  at::Tensor forward(const at::Tensor& x, LstmState& state, const ForwardContext& context) const;

 private:
  double dropout_;
  Axis hidden_;
  LayerNorm norm_;
  Lstm lstm_;
  Linear projection_;
};

/// Subsampling, the layers, a LayerNorm.
class LstmEncoder : public Encoder {
 public:
  LstmEncoder(const Scope& scope, const LstmConfig& config, int64_t bins);

  const Axis& output_axis() const override { return residual_; }
  at::Tensor forward(at::Tensor x, const at::Tensor& lengths,
                     const ForwardContext& context) const override;
  int64_t chunk_frames() const override { return 1; }
  std::unique_ptr<EncoderStream> stream(const ForwardContext& context) const override;

 private:
  class Stream;
  std::vector<LstmState> start(int64_t batch) const;
  at::Tensor run(at::Tensor x, std::vector<LstmState>& states, const ForwardContext& context) const;

  double dropout_;
  Axis residual_;
  std::vector<LstmLayer> layers_;
  LayerNorm norm_;
};

std::unique_ptr<Encoder> make_encoder(const Scope& scope, const LstmConfig& config, int64_t bins);

}  // namespace scion
