#include "scion/core/device.h"
#include "scion/nn/operators/on_device_blocks.h"

namespace scion::on_device {
namespace {

/// What the convolution's two passes share besides tensors.
struct ConvolutionPlace {
  const ModelDevice* device;
  ConvolutionReach reach;
  Activation activation;
  double momentum;  // < 0: the running statistics are taken as they are
};

/// Time tiles whose weights' gradients one block sums: some 60 groups, whatever the batch.
int64_t tiles_of_a_group(const TimeTiles& tiles) { return (tiles.time_tiles() + 63) / 64; }

class DeviceGatedConvolution : public Function<DeviceGatedConvolution> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& bias, const at::Tensor& weight,
                            const at::Tensor& weight_bias, const at::Tensor& norm_weight,
                            const at::Tensor& norm_bias, const at::Tensor& lengths,
                            const at::Tensor& running_mean, const at::Tensor& running_variance,
                            const ConvolutionPlace& place) {
    const at::Tensor h = input.contiguous(), taps = weight.squeeze(1).t().contiguous();
    const int64_t channels = h.size(2) / 2;
    const at::Tensor gated = at::empty({h.size(0), h.size(1), channels}, h.options());
    const at::Tensor out = at::empty_like(gated), y = empty_float(gated.sizes(), h);
    const at::Tensor norm = empty_float({4, channels}, h);
    ConvolutionArguments a = arguments(h, bias, taps, lengths, place);
    const at::Tensor statistics = empty_float({a.tiles.time_tiles(), 2, channels}, h);
    a.weight_bias = numbers(weight_bias);
    a.gated = gated.mutable_data_ptr();
    a.y = room(y);
    a.statistics = room(statistics);
    a.norm_weight = numbers(norm_weight);
    a.norm_bias = numbers(norm_bias);
    a.running_mean = room(running_mean);
    a.running_variance = room(running_variance);
    a.norm = room(norm);
    a.out = out.mutable_data_ptr();
    place.device->kernels.gated_depthwise(a, place.device->stream());
    place.device->kernels.normalise(a, place.device->stream());
    context->save_for_backward({h, bias, taps, norm_weight, lengths, gated, y, norm});
    keep(context, place);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &h = saved[0], &weight = saved[2], &gated = saved[5], &y = saved[6];
    const auto& place = kept<ConvolutionPlace>(context);
    const int64_t channels = gated.size(2), taps = weight.size(0);
    ConvolutionArguments a = arguments(h, saved[1], weight, saved[4], place);
    const int64_t tiles = a.tiles.time_tiles();
    const at::Tensor gradient = gradients[0].contiguous();
    const at::Tensor grad_z = at::empty_like(y), grad_h = at::empty_like(h);
    const at::Tensor norm_sums = empty_float({tiles, 2, channels}, h);
    const at::Tensor affine = empty_float({3, channels}, h);
    const at::Tensor grad_norm = empty_float({2, channels}, h);
    const at::Tensor grad_bias = empty_float({tiles, 2 * channels}, h);
    const at::Tensor grad_weight = empty_float({a.groups(), taps + 1, channels}, h);
    a.gated = gated.mutable_data_ptr();
    a.y = room(y);
    a.norm_weight = numbers(saved[3]);
    a.norm = room(saved[7]);
    a.gradient = gradient.const_data_ptr();
    a.grad_z = room(grad_z);
    a.norm_sums = room(norm_sums);
    a.affine = room(affine);
    a.grad_norm = room(grad_norm);
    a.grad_h = grad_h.mutable_data_ptr();
    a.grad_bias = room(grad_bias);
    a.grad_weight = room(grad_weight);
    place.device->kernels.convolution_backward(a, place.device->stream());
    const at::Tensor of_taps = grad_weight.sum(0);
    return {
        grad_h,        grad_bias.sum(0), of_taps.slice(0, 0, taps).t().unsqueeze(1).contiguous(),
        of_taps[taps], grad_norm[0],     grad_norm[1],
        at::Tensor(),  at::Tensor(),     at::Tensor(),
        at::Tensor()};
  }

 private:
  static ConvolutionArguments arguments(const at::Tensor& h, const at::Tensor& bias,
                                        const at::Tensor& weight, const at::Tensor& lengths,
                                        const ConvolutionPlace& place) {
    const TimeTiles tiles{h.size(0), h.size(1), h.size(2) / 2, lengths.const_data_ptr<int64_t>()};
    return {.tiles = tiles,
            .type = number_of_operand(h),
            .taps = weight.size(0),
            .past = place.reach.past(weight.size(0)),
            .chunk = place.reach.chunk,
            .h = h.const_data_ptr(),
            .bias = numbers(bias),
            .weight = numbers(weight),
            .momentum = static_cast<float>(place.momentum),
            .activation = place.activation,
            .tiles_a_group = std::max<int64_t>(1, tiles_of_a_group(tiles))};
  }
};

}  // namespace

at::Tensor gated_convolution(const ModelDevice& device, const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const BatchNorm& norm, Activation activation,
                             const ForwardContext& context) {
  return DeviceGatedConvolution::apply(
      h, bias, convolution.weight, convolution.bias, norm.weight, norm.bias,
      upload(lengths, h.device()).contiguous(), norm.running_mean, norm.running_variance,
      ConvolutionPlace{&device, convolution.reach, activation,
                       context.training() ? context.batch_norm_momentum : -1});
}

}  // namespace scion::on_device
