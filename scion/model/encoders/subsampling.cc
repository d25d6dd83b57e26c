#include "scion/model/encoders/subsampling.h"

#include "scion/core/device.h"
#include "scion/nn/functional.h"
#include "scion/nn/observer.h"

namespace scion {

// What a convolution's output pixels see: x (B, C, H, W) → (B, pixels, C · kernel²).
static at::Tensor image_patches(const at::Tensor& x, int64_t kernel, int64_t stride,
                                int64_t padding) {
  return at::im2col(x, {kernel, kernel}, {1, 1}, {padding, padding}, {stride, stride})
      .transpose(1, 2);
}

at::Tensor Subsampling::lengths_out(const at::Tensor& lengths) const {
  at::Tensor out = lengths.cpu().clone();
  int64_t* frames = out.data_ptr<int64_t>();
  for (int64_t b = 0; b < out.numel(); ++b) frames[b] = frames_out(frames[b]);
  return out.to(lengths.device());
}

Conv2dSubsampling::Conv2dSubsampling(const Scope& scope, int64_t bins, int64_t channels,
                                     int64_t factor, const Axis& width)
    : Subsampling(scope, factor), kernel2_(factor == 4 ? 3 : 5), stride2_(factor / 2) {
  const int64_t bins1 = (bins - 3) / 2 + 1;
  const int64_t bins2 = (bins1 - kernel2_) / stride2_ + 1;
  const Axis one = leaf("channels1", channels), two = leaf("channels2", channels);
  const auto fixed = [](int64_t size) { return Axis::fixed(size); };
  weight1_ = parameter("convolution1.weight", {one, fixed(1), fixed(3), fixed(3)}, init::weight);
  bias1_ = parameter("convolution1.bias", {one}, init::bias(9));
  weight2_ =
      parameter("convolution2.weight", {two, one, fixed(kernel2_), fixed(kernel2_)}, init::weight);
  bias2_ = parameter("convolution2.bias", {two}, init::bias(channels * kernel2_ * kernel2_));
  weight3_ =
      parameter("projection.weight", {width, Axis::product(two, fixed(bins2))}, init::weight);
  bias3_ = parameter("projection.bias", {width}, init::bias(channels * bins2));
}

at::Tensor Conv2dSubsampling::forward(const at::Tensor& features, const at::Tensor& lengths,
                                      const ForwardContext& context) const {
  if (context.inputs) show_convolutions(features, *context.inputs);
  at::Tensor x = subsample(features, weight1_, bias1_, weight2_, bias2_, stride2_,
                           lengths_out(lengths).clamp_min(1));
  // The projection's columns are ordered (channel, bin), as where channels come first.
  const at::Tensor weight = weight3_.view({weight3_.size(0), x.size(3), x.size(2)}).transpose(1, 2);
  if (context.inputs) context.inputs->linear({{weight3_}, bias3_}, x.transpose(2, 3).flatten(2));
  x = linear(x.flatten(2), weight.flatten(1), bias3_, context);
  context.show(place(), x);
  return x;
}

void Conv2dSubsampling::show_convolutions(const at::Tensor& features,
                                          InputObserver& observer) const {
  const at::Tensor x = features.unsqueeze(1);
  observer.linear({{weight1_}, bias1_}, image_patches(x, 3, 2, 0));
  observer.linear({{weight2_}, bias2_}, image_patches(at::relu(at::conv2d(x, weight1_, bias1_, 2)),
                                                      kernel2_, stride2_, 0));
}

int64_t Conv2dSubsampling::frames_out(int64_t frames) const {
  if (frames < minimum_frames()) return 0;
  return ((frames - 3) / 2 + 1 - kernel2_) / stride2_ + 1;
}

int64_t Conv2dSubsampling::minimum_frames() const { return (kernel2_ - 1) * 2 + 3; }

DepthwiseStridingSubsampling::DepthwiseStridingSubsampling(const Scope& scope, int64_t bins,
                                                           int64_t channels, const Axis& width)
    : Subsampling(scope, 8) {
  const Axis one = Axis::fixed(1), three = Axis::fixed(3);
  Axis input = leaf("channels1", channels);
  weight_ = parameter("convolution1.weight", {input, one, three, three}, init::weight);
  bias_ = parameter("convolution1.bias", {input}, init::bias(9));
  for (const int number : {2, 3}) {
    const std::string n = std::to_string(number);
    const Axis output = leaf("channels" + n, channels);
    stages_.push_back(
        {parameter("depthwise" + n + ".weight", {input, one, three, three}, init::weight),
         parameter("depthwise" + n + ".bias", {input}, init::bias(9)),
         parameter("pointwise" + n + ".weight", {output, input, one, one}, init::weight),
         parameter("pointwise" + n + ".bias", {output}, init::bias(channels))});
    input = output;
  }
  const int64_t bins_out = frames_out(bins);  // frequency is thinned out as time is
  projection_ = parameter("projection.weight", {width, Axis::product(input, Axis::fixed(bins_out))},
                          init::weight);
  projection_bias_ = parameter("projection.bias", {width}, init::bias(channels * bins_out));
}

at::Tensor DepthwiseStridingSubsampling::forward(const at::Tensor& features,
                                                 const at::Tensor& lengths,
                                                 const ForwardContext& context) const {
  const std::vector<int64_t> two = {2, 2}, one = {1, 1};
  at::Tensor x = features.unsqueeze(1);  // (B, channels, frames, bins)
  at::Tensor valid = upload(lengths, features.device());
  const auto without_padding = [&] {
    return x.masked_fill(
        valid_frames(valid, x.size(2)).logical_not().view({x.size(0), 1, x.size(2), 1}), 0);
  };
  x = without_padding();
  if (context.inputs) context.inputs->linear({{weight_}, bias_}, image_patches(x, 3, 2, 1));
  x = at::relu(at::conv2d(x, weight_, bias_, two, one));
  for (const Stage& stage : stages_) {
    valid = (valid + 1).div(2, "floor");
    x = without_padding();
    if (context.inputs)
      context.inputs->linear({{stage.depthwise}, stage.depthwise_bias, true},
                             image_patches(x, 3, 2, 1).unflatten(2, {x.size(1), 9}));
    x = at::conv2d(x, stage.depthwise, stage.depthwise_bias, two, one, one,
                   stage.depthwise.size(0));
    if (context.inputs)
      context.inputs->linear({{stage.pointwise}, stage.pointwise_bias},
                             x.flatten(2).transpose(1, 2));
    x = at::relu(at::conv2d(x, stage.pointwise, stage.pointwise_bias));
  }
  x = x.transpose(1, 2).flatten(2);
  if (context.inputs) context.inputs->linear({{projection_}, projection_bias_}, x);
  x = linear(x, projection_, projection_bias_, context);
  context.show(place(), x);
  return x;
}

int64_t DepthwiseStridingSubsampling::frames_out(int64_t frames) const {
  return (frames + factor() - 1) / factor();  // each of three halvings rounds up
}

std::unique_ptr<Subsampling> make_subsampling(const Scope& scope, int64_t bins, int64_t channels,
                                              int64_t factor, const Axis& width) {
  if (factor == 8)
    return std::make_unique<DepthwiseStridingSubsampling>(scope, bins, channels, width);
  return std::make_unique<Conv2dSubsampling>(scope, bins, channels, factor, width);
}

}  // namespace scion
