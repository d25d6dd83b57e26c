// Convolutions that thin out time (and frequency) before the encoder.
#pragma once

#include <memory>

#include "scion/nn/forward_context.h"
#include "scion/nn/module.h"

namespace scion {

/// Feature frames → fewer, wider frames. Output frame j begins at feature frame j · factor().
class Subsampling : public Module {
 public:
  virtual ~Subsampling() = default;

  /// (B, T, F) → (B, frames_out(T), width); `lengths` (B), best on the processor, counts the
  /// feature frames that are not padding. T must be at least minimum_frames().
  virtual at::Tensor forward(const at::Tensor& features, const at::Tensor& lengths,
                             const ForwardContext& context) const = 0;
  /// Output frames for `frames` feature frames; 0 when there are too few.
  virtual int64_t frames_out(int64_t frames) const = 0;
  virtual int64_t minimum_frames() const = 0;
  /// In a stream: output frames that `frames` feature frames settle, whatever follows them.
  virtual int64_t frames_settled(int64_t frames) const = 0;
  /// In a stream: frames at the beginning of an output that differ where features are cut off
  /// before it.
  virtual int64_t frames_unsettled_by_cut() const = 0;

  int64_t factor() const { return factor_; }
  /// (B) int64 → (B) int64 on the same device.
  at::Tensor lengths_out(const at::Tensor& lengths) const;

 protected:
  Subsampling(const Scope& scope, int64_t factor) : Module(scope), factor_(factor) {}

 private:
  int64_t factor_;
};

/// Factor 4: kernels 3 and 3, strides 2 and 2. Factor 6: kernels 3 and 5, strides 2 and 3. No
/// padding: an output frame sees valid input frames only.
class Conv2dSubsampling : public Subsampling {
 public:
  Conv2dSubsampling(const Scope& scope, int64_t bins, int64_t channels, int64_t factor,
                    const Axis& width);

  at::Tensor forward(const at::Tensor& features, const at::Tensor& lengths,
                     const ForwardContext& context) const override;
  int64_t frames_out(int64_t frames) const override;
  int64_t minimum_frames() const override;
  int64_t frames_settled(int64_t frames) const override { return frames_out(frames); }
  int64_t frames_unsettled_by_cut() const override { return 0; }

 private:
  void show_convolutions(const at::Tensor& features, InputObserver& observer) const;

  int64_t kernel2_, stride2_;
  at::Tensor weight1_, bias1_, weight2_, bias2_, weight3_, bias3_;
};

/// FastConformer's (Rekesh et al., 2023), factor 8: a 3 × 3 convolution with stride 2, then twice a
/// depthwise one and a pointwise one. One row of zeros around every convolution's input.
class DepthwiseStridingSubsampling : public Subsampling {
 public:
  DepthwiseStridingSubsampling(const Scope& scope, int64_t bins, int64_t channels,
                               const Axis& width);

  at::Tensor forward(const at::Tensor& features, const at::Tensor& lengths,
                     const ForwardContext& context) const override;
  int64_t frames_out(int64_t frames) const override;
  int64_t minimum_frames() const override { return 1; }
  int64_t frames_settled(int64_t frames) const override { return frames / factor(); }
  int64_t frames_unsettled_by_cut() const override { return 1; }

 private:
  struct Stage {
    at::Tensor depthwise, depthwise_bias, pointwise, pointwise_bias;
  };
  at::Tensor weight_, bias_;
  std::vector<Stage> stages_;
  at::Tensor projection_, projection_bias_;
};

/// The kind that has this factor: 4, 6 or 8.
std::unique_ptr<Subsampling> make_subsampling(const Scope& scope, int64_t bins, int64_t channels,
                                              int64_t factor, const Axis& width);

}  // namespace scion
