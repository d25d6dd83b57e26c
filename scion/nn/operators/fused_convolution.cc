#include "scion/nn/operators/fused.h"
#include "scion/nn/operators/fused_blocks.h"

namespace scion::fused {
namespace {

constexpr double kEpsilon = 1e-5;

// Pools the statistics of each utterance into mean and variance over all valid frames (Chan et al.,
// 1979).
// means, squares (B, C), counts (B, 1) → two of (C), double.
std::pair<at::Tensor, at::Tensor> pool_statistics(const at::Tensor& means,
                                                  const at::Tensor& squares,
                                                  const at::Tensor& counts) {
  const at::Tensor total = counts.sum(), each = means.to(at::kDouble);
  const at::Tensor mean = (each * counts).sum(0) / total;
  const at::Tensor between = ((each - mean).square() * counts).sum(0);
  return {mean, (squares.to(at::kDouble).sum(0) + between) / total};
}

struct ConvolutionSizes {
  int64_t batch, frames, channels, taps, past;

  ConvolutionSizes(const at::Tensor& h, const at::Tensor& weight, int64_t past)
      : batch(h.size(0)),
        frames(h.size(1)),
        channels(h.size(2) / 2),
        taps(weight.size(2)),
        past(past) {}
  StripShape strip(const at::Tensor& lengths, int64_t b) const {
    return {frames, lengths.const_data_ptr<int64_t>()[b], channels, taps, past};
  }
};

// Calls work(utterance, scratch).
template <class Work>
void for_each_utterance(const ConvolutionSizes& sizes, const Work& work) {
  at::parallel_for(0, sizes.batch, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(
        static_cast<size_t>(StripShape{sizes.frames, 0, 0, sizes.taps, sizes.past}.scratch()));
    for (int64_t b = begin; b < end; ++b) work(b, scratch.data());
  });
}

class GatedConvolution : public Function<GatedConvolution> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& bias, const at::Tensor& weight,
                            const at::Tensor& weight_bias, const at::Tensor& norm_weight,
                            const at::Tensor& norm_bias, const at::Tensor& lengths,
                            const at::Tensor& running_mean, const at::Tensor& running_variance,
                            const std::optional<double>& momentum, int64_t past,
                            int64_t activation) {
    const bool training = momentum.has_value();
    const at::Tensor h = input.contiguous(), kernel = weight.contiguous();
    const ConvolutionSizes sizes(h, kernel, past);
    const at::Tensor y = at::empty({sizes.batch, sizes.frames, sizes.channels}, at::kFloat);
    const at::Tensor means = at::empty({sizes.batch, sizes.channels}, at::kFloat);
    const at::Tensor squares = at::empty_like(means);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_utterance(sizes, [&](int64_t b, float* scratch) {
        const int64_t first = b * sizes.frames * sizes.channels, row = b * sizes.channels;
        kernels.gated_depthwise(data<T>(h) + 2 * first, floats(bias), floats(kernel),
                                floats(weight_bias), sizes.strip(lengths, b), scratch,
                                floats(y) + first, floats(means) + row, floats(squares) + row);
      });
    });
    const at::Tensor counts = lengths.to(at::kDouble).unsqueeze(1);
    at::Tensor mean = running_mean, variance = running_variance;
    if (training) {
      std::tie(mean, variance) = pool_statistics(means, squares, counts);
      const double count = counts.sum().item<double>();
      running_mean.lerp_(mean.to(at::kFloat), *momentum);
      running_variance.lerp_((variance * (count / std::max(1.0, count - 1))).to(at::kFloat),
                             *momentum);
    }
    const at::Tensor spread = (variance.to(at::kDouble) + kEpsilon).rsqrt();
    const at::Tensor scale = (norm_weight * spread).to(at::kFloat);
    const at::Tensor shift = (norm_bias - mean * norm_weight * spread).to(at::kFloat);
    context->save_for_backward({h, bias, kernel, norm_weight, lengths, y, scale, shift,
                                mean.to(at::kFloat), spread.to(at::kFloat)});
    context->saved_data["training"] = training;
    context->saved_data["past"] = past;
    context->saved_data["activation"] = activation;
    return activated(h, y, scale, shift, static_cast<Activation>(activation));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &h = saved[0], &bias = saved[1], &weight = saved[2], &norm_weight = saved[3];
    const at::Tensor &lengths = saved[4], &y = saved[5], &mean = saved[8], &spread = saved[9];
    const ConvolutionSizes sizes(h, weight, context->saved_data["past"].toInt());
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const at::Tensor grad_z = at::empty_like(y);
    const at::Tensor sums =
        sum_backward(gradients[0].contiguous(), y, saved[6], saved[7], mean, activation, grad_z);
    const at::Tensor grad_norm_bias = sums[0], grad_norm_weight = sums[1] * spread;
    const at::Tensor affine = at::zeros({3, sizes.channels}, at::kFloat);
    affine[0].copy_(norm_weight * spread);
    if (context->saved_data["training"].toBool()) {
      const at::Tensor count = lengths.sum().to(at::kFloat);
      const at::Tensor along_y = affine[0] * spread * grad_norm_weight / count;
      affine[1].copy_(-along_y);
      affine[2].copy_(along_y * mean - affine[0] * grad_norm_bias / count);
    }
    const at::Tensor grad_h = at::empty_like(h);
    const at::Tensor grad_bias = at::empty({sizes.batch, 2 * sizes.channels}, at::kFloat);
    const at::Tensor grad_weight = at::empty({sizes.batch, weight.numel()}, at::kFloat);
    const at::Tensor grad_weight_bias = at::empty({sizes.batch, sizes.channels}, at::kFloat);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_utterance(sizes, [&](int64_t b, float* scratch) {
        const int64_t first = b * sizes.frames * sizes.channels;
        kernels.gated_depthwise_backward(
            data<T>(h) + 2 * first, floats(bias), floats(weight), floats(grad_z) + first,
            floats(y) + first, floats(affine), sizes.strip(lengths, b), scratch,
            data<T>(grad_h) + 2 * first, floats(grad_bias) + b * 2 * sizes.channels,
            floats(grad_weight) + b * weight.numel(),
            floats(grad_weight_bias) + b * sizes.channels);
      });
    });
    return {grad_h,
            grad_bias.sum(0),
            grad_weight.sum(0).view(weight.sizes()),
            grad_weight_bias.sum(0),
            grad_norm_weight,
            grad_norm_bias,
            at::Tensor(),
            at::Tensor(),
            at::Tensor(),
            at::Tensor(),
            at::Tensor(),
            at::Tensor()};
  }

 private:
  static at::Tensor activated(const at::Tensor& h, const at::Tensor& y, const at::Tensor& scale,
                              const at::Tensor& shift, Activation activation) {
    const at::Tensor out = at::empty(y.sizes(), h.options());
    const int64_t width = y.size(2);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(y.numel() / width, [&](int64_t first, int64_t count, int64_t) {
        kernels.affine_activate(floats(y) + first * width, floats(scale), floats(shift), activation,
                                {count, width}, data<T>(out) + first * width);
      });
    });
    return out;
  }

  // Fills grad_z; returns the sums over all frames of grad_z and of grad_z · (y − mean): (2, C).
  static at::Tensor sum_backward(const at::Tensor& gradient, const at::Tensor& y,
                                 const at::Tensor& scale, const at::Tensor& shift,
                                 const at::Tensor& mean, Activation activation,
                                 const at::Tensor& grad_z) {
    const int64_t width = y.size(2), rows = y.numel() / width;
    const at::Tensor sums = block_sums(rows, 2 * width);
    with_type(gradient, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(rows, [&](int64_t first, int64_t count, int64_t block) {
        float* const sum = floats(sums) + block * 2 * width;
        kernels.affine_activate_backward(data<T>(gradient) + first * width,
                                         floats(y) + first * width, floats(scale), floats(shift),
                                         floats(mean), activation, {count, width},
                                         floats(grad_z) + first * width, sum, sum + width);
      });
    });
    return sums.sum(0).view({2, width});
  }
};

}  // namespace

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const BatchNorm& norm, Activation activation,
                             const ForwardContext& context) {
  return GatedConvolution::apply(
      h, bias, convolution.weight, convolution.bias, norm.weight, norm.bias, lengths,
      norm.running_mean, norm.running_variance,
      context.training() ? std::optional(context.batch_norm_momentum) : std::nullopt,
      convolution.reach.past(convolution.taps()), static_cast<int64_t>(activation));
}

}  // namespace scion::fused
