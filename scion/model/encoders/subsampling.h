// Convolutional subsampling in time (and frequency) before the encoder.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "scion/model/encoders/subsampling_config.h"
#include "scion/nn/module.h"
#include "scion/nn/operators/forward_context.h"

namespace scion {

/// Feature frames → fewer, wider frames. Output frame j begins at feature frame j · factor().
class Subsampling : public Module {
 public:
  virtual ~Subsampling() = default;

  /// (B, T, F) → (B, frames_out(T), width); `lengths` (B), preferably on the CPU, counts the
  /// feature frames that are not padding. T must be at least minimum_frames().
  virtual at::Tensor forward(const at::Tensor& features, const at::Tensor& lengths,
                             const ForwardContext& context) const = 0;
  /// forward() of normalise(features); in blocks of frames where context.working_bytes wants it.
  at::Tensor forward_in_blocks(const at::Tensor& features, const at::Tensor& lengths,
                               const ForwardContext& context,
                               const std::function<at::Tensor(const at::Tensor&)>& normalise) const;
  /// Output frames for `frames` feature frames; 0 when there are too few.
  virtual int64_t frames_out(int64_t frames) const = 0;
  virtual int64_t minimum_frames() const = 0;
  /// In a stream: output frames that depend on the first `frames` feature frames alone.
  virtual int64_t frames_settled(int64_t frames) const = 0;
  /// In a stream: frames at the beginning of an output that change when the features before it are
  /// cut off.
  virtual int64_t frames_unsettled_by_cut() const = 0;

  /// Floats of intermediate results for each feature frame.
  virtual int64_t floats_per_frame() const = 0;

  int64_t factor() const { return factor_; }
  /// frames_out() of lengths (B) int64 → (B) int64 on the same device.
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
  int64_t floats_per_frame() const override { return floats_; }
  int64_t frames_settled(int64_t frames) const override { return frames_out(frames); }
  int64_t frames_unsettled_by_cut() const override { return 0; }

 private:
  int64_t floats_;
  ImageConvolution convolution1_, convolution2_;
  Linear projection_;
};

/// Subsampling of NeMo's encoders, factor 4 or 8: a 3 × 3 convolution with stride 2, then once or
/// twice another; or, as in FastConformer (Rekesh et al., 2023), a depthwise and a pointwise one.
/// One row of zeros around every convolution's input; causal: two before it, one after.
class StridingSubsampling : public Subsampling {
 public:
  StridingSubsampling(const Scope& scope, int64_t bins, const SubsamplingConfig& config,
                      const Axis& width);

  at::Tensor forward(const at::Tensor& features, const at::Tensor& lengths,
                     const ForwardContext& context) const override;
  int64_t frames_out(int64_t frames) const override;
  int64_t minimum_frames() const override { return 1; }
  int64_t floats_per_frame() const override { return floats_; }
  int64_t frames_settled(int64_t frames) const override {
    return causal_ ? (frames + factor() - 1) / factor() : frames / factor();
  }
  int64_t frames_unsettled_by_cut() const override { return causal_ ? 2 : 1; }

 private:
  struct Stage {
    ImageConvolution halving;
    std::optional<ImageConvolution> pointwise;  // after a depthwise one
  };
  ImageConvolution make_halving(const std::string& name, const Axis& output, const Axis& input);
  int64_t halved(int64_t frames) const { return causal_ ? frames / 2 + 1 : (frames + 1) / 2; }

  bool causal_;
  int64_t floats_;
  std::vector<Stage> stages_;
  Linear projection_;
};

/// UserError naming `section` unless there is such a subsampling.
void require_known_subsampling(const SubsamplingConfig& config, const std::string& section);

std::unique_ptr<Subsampling> make_subsampling(const Scope& scope, int64_t bins,
                                              const SubsamplingConfig& config, const Axis& width);

}  // namespace scion
