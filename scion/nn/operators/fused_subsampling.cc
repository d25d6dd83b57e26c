#include "scion/nn/operators/fused.h"
#include "scion/nn/operators/fused_blocks.h"

namespace scion::fused {
namespace {

int64_t padded(int64_t channels) { return (channels + 15) / 16 * 16; }

// (out, in, k, k) → (k, k, in, out), channels padded with zeros.
at::Tensor pack(const at::Tensor& weight, int64_t in) {
  const at::Tensor last = weight.permute({2, 3, 1, 0});
  return at::constant_pad_nd(last,
                             {0, padded(weight.size(0)) - weight.size(0), 0, in - weight.size(1)})
      .contiguous();
}

at::Tensor unpack(const at::Tensor& packed, const at::Tensor& like) {
  return packed.narrow(2, 0, like.size(1))
      .narrow(3, 0, like.size(0))
      .permute({3, 2, 0, 1})
      .contiguous();
}

at::Tensor pack_bias(const at::Tensor& bias) {
  return at::constant_pad_nd(bias, {0, padded(bias.size(0)) - bias.size(0)});
}

// Shapes of both convolutions for the first `frames` output frames of an utterance.
struct Shapes {
  ImageShape one, two;

  Shapes(int64_t bins, int64_t channels1, int64_t channels2, int64_t kernel2, int64_t stride2,
         int64_t frames) {
    const int64_t rows = (frames - 1) * stride2 + kernel2, columns = (bins - 3) / 2 + 1;
    one = {bins, 1, rows, columns, channels1, 3, 2};
    two = {columns,   channels1, frames, (columns - kernel2) / stride2 + 1,
           channels2, kernel2,   stride2};
  }
  int64_t inner() const { return one.out_rows * one.out_columns * one.out_channels; }
  int64_t outer() const { return two.out_rows * two.out_columns * two.out_channels; }
};

// The first convolution's result is recomputed in the backward pass: it is the largest tensor, and
// cheap.
class Subsample : public Function<Subsample> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight1, const at::Tensor& bias1,
                            const at::Tensor& weight2, const at::Tensor& bias2,
                            const at::Tensor& lengths, int64_t frames, int64_t stride2) {
    const at::Tensor x = input.contiguous();
    const int64_t middle = padded(weight1.size(0));
    const at::Tensor packed1 = pack(weight1, 1), packed2 = pack(weight2, middle);
    const at::Tensor packed_bias1 = pack_bias(bias1), packed_bias2 = pack_bias(bias2);
    const Shapes whole(x.size(2), middle, packed2.size(3), weight2.size(2), stride2, frames);
    const at::Tensor y =
        at::zeros({x.size(0), frames, whole.two.out_columns, packed2.size(3)}, x.options());
    const PlainKernels& kernels = model_kernels().plain;
    at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
      const at::Tensor inner = at::empty({whole.inner()}, at::kFloat);
      for (int64_t b = begin; b < end; ++b) {
        const Shapes shapes(x.size(2), middle, packed2.size(3), weight2.size(2), stride2,
                            lengths.const_data_ptr<int64_t>()[b]);
        kernels.convolve_image(floats(x) + b * x.stride(0), floats(packed1), floats(packed_bias1),
                               shapes.one, floats(inner));
        kernels.convolve_image(floats(inner), floats(packed2), floats(packed_bias2), shapes.two,
                               floats(y) + b * y.stride(0));
      }
    });
    context->save_for_backward({x, weight1, weight2, packed1, packed_bias1, packed2, lengths, y});
    context->saved_data["stride2"] = stride2;
    return y.narrow(3, 0, weight2.size(0));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight1 = saved[1], &weight2 = saved[2], &packed1 = saved[3];
    const at::Tensor &packed_bias1 = saved[4], &packed2 = saved[5], &lengths = saved[6],
                     &y = saved[7];
    const int64_t stride2 = context->saved_data["stride2"].toInt();
    const int64_t batch = x.size(0), middle = packed1.size(3), outer = packed2.size(3);
    const at::Tensor upstream =
        at::constant_pad_nd(gradients[0], {0, outer - gradients[0].size(3)}).contiguous().clone();
    const at::Tensor turned = packed2.transpose(2, 3).contiguous();
    const at::Tensor grad1 = at::zeros({batch, packed1.numel()}, at::kFloat);
    const at::Tensor grad2 = at::zeros({batch, packed2.numel()}, at::kFloat);
    const at::Tensor grad_bias1 = at::zeros({batch, middle}, at::kFloat);
    const at::Tensor grad_bias2 = at::zeros({batch, outer}, at::kFloat);
    const Shapes whole(x.size(2), middle, outer, weight2.size(2), stride2, y.size(1));
    const PlainKernels& kernels = model_kernels().plain;
    at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
      const at::Tensor inner = at::empty({2, whole.inner()}, at::kFloat);
      float *const value = floats(inner), *const grad = value + whole.inner();
      for (int64_t b = begin; b < end; ++b) {
        const Shapes shapes(x.size(2), middle, outer, weight2.size(2), stride2,
                            lengths.const_data_ptr<int64_t>()[b]);
        const float* const features = floats(x) + b * x.stride(0);
        float* const g = floats(upstream) + b * upstream.stride(0);
        kernels.convolve_image(features, floats(packed1), floats(packed_bias1), shapes.one, value);
        kernels.pass_where_positive(floats(y) + b * y.stride(0), shapes.outer(), g);
        kernels.convolve_image_weights(value, g, shapes.two, floats(grad2) + b * packed2.numel(),
                                       floats(grad_bias2) + b * outer);
        std::fill(grad, grad + shapes.inner(), 0.0F);
        kernels.convolve_image_input(g, floats(turned), shapes.two, grad);
        kernels.pass_where_positive(value, shapes.inner(), grad);
        kernels.convolve_image_weights(features, grad, shapes.one,
                                       floats(grad1) + b * packed1.numel(),
                                       floats(grad_bias1) + b * middle);
      }
    });
    return {at::Tensor(),
            unpack(grad1.sum(0).view(packed1.sizes()), weight1),
            grad_bias1.sum(0).narrow(0, 0, weight1.size(0)),
            unpack(grad2.sum(0).view(packed2.sizes()), weight2),
            grad_bias2.sum(0).narrow(0, 0, weight2.size(0)),
            at::Tensor(),
            at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor subsample(const at::Tensor& features, const ImageConvolution& first,
                     const ImageConvolution& second, const at::Tensor& lengths) {
  const int64_t inner = (features.size(1) - 3) / 2 + 1;
  const int64_t frames = (inner - second.kernel()) / second.stride + 1;
  return Subsample::apply(features, first.weight, first.bias, second.weight, second.bias, lengths,
                          frames, second.stride);
}

}  // namespace scion::fused
