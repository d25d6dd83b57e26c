#include "scion/model/subsampling.h"

#include "scion/model/functional.h"

namespace scion {

Conv2dSubsampling::Conv2dSubsampling(const Scope& scope, int64_t bins, int64_t channels,
                                     int64_t factor, const Axis& width)
    : Module(scope), kernel2_(factor == 4 ? 3 : 5), stride2_(factor / 2) {
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
                                      const Context& context) const {
  at::Tensor x = subsample(features, weight1_, bias1_, weight2_, bias2_, stride2_, lengths);
  // The projection's columns are ordered (channel, bin), as where channels come first.
  const at::Tensor weight = weight3_.view({weight3_.size(0), x.size(3), x.size(2)}).transpose(1, 2);
  x = linear(x.flatten(2), weight.flatten(1), bias3_, context);
  context.show(place(), x);
  return x;
}

int64_t Conv2dSubsampling::frames_out(int64_t frames) const {
  if (frames < minimum_frames()) return 0;
  return ((frames - 3) / 2 + 1 - kernel2_) / stride2_ + 1;
}

at::Tensor Conv2dSubsampling::lengths_out(const at::Tensor& lengths) const {
  at::Tensor out = lengths.cpu().clone();
  int64_t* frames = out.data_ptr<int64_t>();
  for (int64_t b = 0; b < out.numel(); ++b) frames[b] = frames_out(frames[b]);
  return out.to(lengths.device());
}

int64_t Conv2dSubsampling::minimum_frames() const { return (kernel2_ - 1) * 2 + 3; }

}  // namespace scion
