#include "scion/nn/operators/depthwise.h"

namespace scion {

at::Tensor depthwise_convolution_step(const at::Tensor& x, const Convolution& convolution) {
  const int64_t taps = convolution.taps(), future = taps - 1 - convolution.reach.past(taps);
  const at::Tensor padded = at::constant_pad_nd(x.transpose(1, 2), {0, future});
  const std::vector<int64_t> one = {1}, no_padding = {0};
  return at::conv1d(padded, convolution.weight, convolution.bias, one, no_padding, one,
                    convolution.channels())
      .transpose(1, 2);
}

// Each chunk with the frames before it becomes an utterance; without chunks, utterances stay whole:
// x (B, T, C) → (B · N, past + chunk, C).
static at::Tensor with_past(const at::Tensor& x, int64_t past, int64_t chunk) {
  if (chunk == 0) return at::constant_pad_nd(x, {0, 0, past, 0});
  const int64_t missing = (chunk - x.size(1) % chunk) % chunk;
  return at::constant_pad_nd(x, {0, 0, past, missing})
      .unfold(1, past + chunk, chunk)  // (B, N, C, past + chunk)
      .transpose(2, 3)
      .flatten(0, 1);
}

// The inverse: y (B · N, chunk, …) → (B, T, …).
static at::Tensor joined(const at::Tensor& y, int64_t batch, int64_t frames) {
  std::vector<int64_t> shape = y.sizes().vec();
  shape[1] *= shape[0] / batch;
  shape[0] = batch;
  return y.reshape(shape).slice(1, 0, frames);
}

at::Tensor depthwise_convolution(const at::Tensor& x, const Convolution& convolution) {
  const ConvolutionReach& reach = convolution.reach;
  const at::Tensor each = with_past(x, reach.past(convolution.taps()), reach.chunk);
  return joined(depthwise_convolution_step(each, convolution), x.size(0), x.size(1));
}

at::Tensor depthwise_patches(const at::Tensor& x, const Convolution& convolution) {
  const ConvolutionReach& reach = convolution.reach;
  const int64_t taps = convolution.taps();
  const int64_t past = reach.past(taps), future = taps - 1 - past;
  const at::Tensor each = at::constant_pad_nd(with_past(x, past, reach.chunk), {0, 0, 0, future});
  return joined(each.unfold(1, taps, 1), x.size(0), x.size(1));
}

}  // namespace scion
