#include "scion/model/encoders/subsampling.h"

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/nn/operators/functional.h"
#include "scion/nn/operators/time_blocks.h"

namespace scion {

at::Tensor Subsampling::lengths_out(const at::Tensor& lengths) const {
  at::Tensor out = lengths.cpu().clone();
  int64_t* frames = out.data_ptr<int64_t>();
  for (int64_t b = 0; b < out.numel(); ++b) frames[b] = frames_out(frames[b]);
  return out.to(lengths.device());
}

at::Tensor Subsampling::forward_in_blocks(
    const at::Tensor& features, const at::Tensor& lengths, const ForwardContext& context,
    const std::function<at::Tensor(const at::Tensor&)>& normalise) const {
  const int64_t most = block_frames(features, floats_per_frame(), context);
  const int64_t all = frames_out(features.size(1));
  const int64_t step = std::max<int64_t>(1, most / factor_);
  if (most == features.size(1) || step >= all)
    return forward(normalise(features), lengths, context);
  const int64_t cut = frames_unsettled_by_cut();
  at::Tensor y;
  for (int64_t begin = 0; begin < all; begin += step) {
    const int64_t end = std::min(begin + step, all), first = std::max<int64_t>(0, begin - cut);
    const int64_t from = first * factor_;
    // The block's last frame sees no feature frame from `to` on.
    const int64_t to =
        std::min(features.size(1), std::max(end * factor_, (end - 1) * factor_ + minimum_frames()));
    const at::Tensor block = forward(normalise(features.slice(1, from, to)).contiguous(),
                                     (lengths - from).clamp(0, to - from), context);
    if (!y.defined()) y = at::empty({features.size(0), all, block.size(2)}, block.options());
    y.slice(1, begin, end).copy_(block.slice(1, begin - first, end - first));
  }
  return y;
}

Conv2dSubsampling::Conv2dSubsampling(const Scope& scope, int64_t bins, int64_t channels,
                                     int64_t factor, const Axis& width)
    : Subsampling(scope, factor) {
  const int64_t kernel2 = factor == 4 ? 3 : 5, stride2 = factor / 2;
  const int64_t bins1 = (bins - 3) / 2 + 1;
  const int64_t bins2 = (bins1 - kernel2) / stride2 + 1;
  const Axis one = leaf("channels1", channels), two = leaf("channels2", channels);
  floats_ = bins + (bins1 + bins2) * ((channels + 15) / 16 * 16);
  convolution1_ = make_image_convolution("convolution1", one, Axis::fixed(1), 3);
  convolution1_.stride = 2;
  convolution2_ = make_image_convolution("convolution2", two, one, kernel2);
  convolution2_.stride = stride2;
  projection_ = make_linear("projection", width, Axis::product(two, Axis::fixed(bins2)));
}

at::Tensor Conv2dSubsampling::forward(const at::Tensor& features, const at::Tensor& lengths,
                                      const ForwardContext& context) const {
  at::Tensor x =
      subsample(features, convolution1_, convolution2_, lengths_out(lengths).clamp_min(1), context);
  x = image_linear(x, projection_, context);
  context.show(place(), x);
  return x;
}

int64_t Conv2dSubsampling::frames_out(int64_t frames) const {
  if (frames < minimum_frames()) return 0;
  return ((frames - 3) / 2 + 1 - convolution2_.kernel()) / convolution2_.stride + 1;
}

int64_t Conv2dSubsampling::minimum_frames() const { return (convolution2_.kernel() - 1) * 2 + 3; }

ImageConvolution StridingSubsampling::make_halving(const std::string& name, const Axis& output,
                                                   const Axis& input) {
  ImageConvolution convolution = make_image_convolution(name, output, input, 3);
  convolution.stride = 2;
  convolution.padding = causal_ ? 0 : 1;
  return convolution;
}

StridingSubsampling::StridingSubsampling(const Scope& scope, int64_t bins,
                                         const SubsamplingConfig& config, const Axis& width)
    : Subsampling(scope, config.factor), causal_(config.causal) {
  const bool depthwise = config.kind != SubsamplingKind::striding;
  const Axis one = Axis::fixed(1);
  Axis input = leaf("channels1", config.channels);
  floats_ = 2 * bins + bins * config.channels / 2;
  stages_.push_back({make_halving("convolution1", input, one), {}});
  int64_t bins_out = halved(bins);  // frequency is subsampled as time is
  for (int number = 2; 1 << number <= config.factor; ++number) {
    const std::string n = std::to_string(number);
    const Axis output = leaf("channels" + n, config.channels);
    if (depthwise) {
      Stage stage{make_halving("depthwise" + n, input, one), {}};
      stage.halving.depthwise = true;
      stage.pointwise = make_image_convolution("pointwise" + n, output, input, 1);
      stages_.push_back(stage);
    } else {
      stages_.push_back({make_halving("convolution" + n, output, input), {}});
    }
    input = output;
    bins_out = halved(bins_out);
  }
  projection_ = make_linear("projection", width, Axis::product(input, Axis::fixed(bins_out)));
}

at::Tensor StridingSubsampling::forward(const at::Tensor& features, const at::Tensor& lengths,
                                        const ForwardContext& context) const {
  at::Tensor x = features.unsqueeze(1);  // (B, channels, frames, bins)
  at::Tensor valid = upload(lengths, features.device());
  for (const Stage& stage : stages_) {
    x = x.masked_fill(
        valid_frames(valid, x.size(2)).logical_not().view({x.size(0), 1, x.size(2), 1}), 0);
    if (causal_) x = at::constant_pad_nd(x, {2, 1, 2, 1});
    x = convolve_image(x, stage.halving, context);
    if (stage.pointwise) x = convolve_image(x, *stage.pointwise, context);
    x = at::relu(x);
    valid = causal_ ? valid.div(2, "floor") + 1 : (valid + 1).div(2, "floor");
  }
  x = linear(x.transpose(1, 2).flatten(2), projection_, context);
  context.show(place(), x);
  return x;
}

int64_t StridingSubsampling::frames_out(int64_t frames) const {
  if (frames <= 0) return 0;
  for (size_t i = 0; i < stages_.size(); ++i) frames = halved(frames);
  return frames;
}

void require_known_subsampling(const SubsamplingConfig& config, const std::string& section) {
  const auto& [factor, channels, kind, causal] = config;
  if (factor != 4 && factor != 6 && factor != 8)
    throw UserError(fmt::format("{}.subsampling is {}", section, factor), "choose 4, 6 or 8");
  const bool strides = kind != SubsamplingKind::automatic || factor == 8;
  if (strides && factor == 6)
    throw UserError(fmt::format("{}: there is no striding subsampling by 6", section),
                    "choose subsampling 4 or 8, or subsampling_kind \"auto\"");
  if (causal && !strides)
    throw UserError(
        fmt::format("{}: a subsampling by {} of the kind auto cannot be causal", section, factor),
        "choose subsampling_kind \"striding\" or \"depthwise_striding\"");
}

std::unique_ptr<Subsampling> make_subsampling(const Scope& scope, int64_t bins,
                                              const SubsamplingConfig& config, const Axis& width) {
  if (config.kind != SubsamplingKind::automatic || config.factor == 8)
    return std::make_unique<StridingSubsampling>(scope, bins, config, width);
  return std::make_unique<Conv2dSubsampling>(scope, bins, config.channels, config.factor, width);
}

}  // namespace scion
