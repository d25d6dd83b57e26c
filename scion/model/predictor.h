// Predictors: the labels emitted so far → a vector for the joiner.
#pragma once

#include <memory>
#include <vector>

#include "scion/model/config.h"
#include "scion/nn/lstm.h"
#include "scion/nn/module.h"
#include "scion/nn/operators/forward_context.h"

namespace scion {

/// State of a predictor after the labels of a batch of hypotheses.
struct PredictorState {
  at::Tensor output;               ///< (B, width)
  std::vector<at::Tensor> memory;  ///< (B, …) each

  /// The rows `indices` (B') int64, in that order; a row may occur several times.
  PredictorState select(const at::Tensor& indices) const;
  /// This state's rows, followed by those of `other`.
  PredictorState append(const PredictorState& other) const;
};

class Predictor : public Module {
 public:
  virtual ~Predictor() = default;

  virtual const Axis& output_axis() const = 0;
  /// Labels (B, U) → (B, U+1, width): row u depends on the labels before position u, with blanks
  /// before the first.
  virtual at::Tensor forward(const at::Tensor& tokens, const ForwardContext& context) const = 0;
  /// The state before the first label.
  virtual PredictorState start(int64_t batch, const ForwardContext& context) const = 0;
  /// The state after one more label: labels (B) int64.
  virtual PredictorState next(const PredictorState& state, const at::Tensor& labels,
                              const ForwardContext& context) const = 0;

 protected:
  using Module::Module;
};

/// Embeddings of the last labels, mixed by a convolution (Ghodsi et al., 2020).
class StatelessPredictor : public Predictor {
 public:
  StatelessPredictor(const Scope& scope, int64_t vocabulary, int64_t width, int64_t context_labels);

  const Axis& output_axis() const override { return width_; }
  at::Tensor forward(const at::Tensor& tokens, const ForwardContext& context) const override;
  PredictorState start(int64_t batch, const ForwardContext& context) const override;
  PredictorState next(const PredictorState& state, const at::Tensor& labels,
                      const ForwardContext& context) const override;

  int64_t context_labels() const { return context_labels_; }
  /// The output (width) after the last context_labels() labels, the newest one last; weights on the
  /// CPU.
  void output(const int64_t* labels, float* out) const;

 private:
  at::Tensor mix(const at::Tensor& labels, const ForwardContext& context) const;

  Axis width_;
  int64_t context_labels_;
  at::Tensor embedding_;
  Convolution convolution_;
};

/// LSTM layers over the embeddings of all labels (Graves, 2012). Embedding and layers have one
/// width and one choice of its elements, because each feeds the next.
class LstmPredictor : public Predictor {
 public:
  LstmPredictor(const Scope& scope, int64_t vocabulary, int64_t width, int64_t layers);

  const Axis& output_axis() const override { return width_; }
  at::Tensor forward(const at::Tensor& tokens, const ForwardContext& context) const override;
  PredictorState start(int64_t batch, const ForwardContext& context) const override;
  PredictorState next(const PredictorState& state, const at::Tensor& labels,
                      const ForwardContext& context) const override;

 private:
  at::Tensor run(const at::Tensor& labels, std::vector<LstmState>& states,
                 const ForwardContext& context) const;

  Axis width_;
  at::Tensor embedding_;
  std::vector<Lstm> layers_;
};

/// The kind that config.predictor names.
std::unique_ptr<Predictor> make_predictor(const Scope& scope, const ModelConfig& config,
                                          int64_t vocabulary);

}  // namespace scion
