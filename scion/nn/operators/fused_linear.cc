#include "scion/nn/operators/fused.h"
#include "scion/nn/operators/fused_blocks.h"

namespace scion::fused {
namespace {

class NormLinear : public Function<NormLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& norm_weight, const at::Tensor& norm_bias,
                            const at::Tensor& /*weight*/, const at::Tensor& operand) {
    const at::ScalarType type = operand.scalar_type();
    const at::Tensor x = flat(input);
    const at::Tensor normed = at::empty(x.sizes(), x.options().dtype(type));
    const at::Tensor statistics = at::empty({x.size(0), 2}, x.options());
    const int64_t width = x.size(1);
    with_type(normed, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(x.size(0), [&](int64_t first, int64_t count, int64_t) {
        kernels.layer_norm(floats(x) + first * width, floats(norm_weight), floats(norm_bias),
                           {count, width}, data<T>(normed) + first * width,
                           floats(statistics) + 2 * first);
      });
    });
    context->save_for_backward({x, statistics, normed, norm_weight, operand});
    return like_with_last(at::mm(normed, operand.t()), input);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &statistics = saved[1], &normed = saved[2];
    const at::Tensor &norm_weight = saved[3], &operand = saved[4];
    const at::Tensor gradient = flat(gradients[0]);
    const at::Tensor grad_weight = as_float(at::mm(gradient.t(), normed));
    const at::Tensor grad_normed = at::mm(gradient, operand);
    const int64_t rows = x.size(0), width = x.size(1);
    const at::Tensor grad_x = at::empty_like(x), sums = block_sums(rows, 2 * width);
    with_type(grad_normed, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(rows, [&](int64_t first, int64_t count, int64_t block) {
        float* sum = floats(sums) + block * 2 * width;
        kernels.layer_norm_backward(data<T>(grad_normed) + first * width, floats(x) + first * width,
                                    floats(statistics) + 2 * first, floats(norm_weight),
                                    {count, width}, floats(grad_x) + first * width, sum,
                                    sum + width);
      });
    });
    const at::Tensor sum = sums.sum(0);
    return {like_with_last(grad_x, gradients[0]), sum.slice(0, 0, width), sum.slice(0, width),
            grad_weight, at::Tensor()};
  }
};

class ActivateWithBias : public Function<ActivateWithBias> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& bias, int64_t activation, int64_t key, double rate) {
    const at::Tensor h = input.contiguous(), out = at::empty_like(h);
    const int64_t width = h.size(-1);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(h.numel() / width, [&](int64_t first, int64_t count, int64_t) {
        const int64_t place = first * width;
        kernels.activate(data<T>(h) + place, floats(bias), static_cast<Activation>(activation),
                         mask(key, rate, place), {count, width}, data<T>(out) + place);
      });
    });
    const bool relu = static_cast<Activation>(activation) == Activation::relu;
    context->save_for_backward({relu ? out : h, bias});
    context->saved_data["activation"] = activation;
    context->saved_data["key"] = key;
    context->saved_data["rate"] = rate;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &kept = saved[0], &bias = saved[1];
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    const int64_t key = context->saved_data["key"].toInt();
    const double rate = context->saved_data["rate"].toDouble();
    const at::Tensor gradient = gradients[0].contiguous(), grad_h = at::empty_like(gradient);
    const int64_t width = kept.size(-1), rows = kept.numel() / width;
    const at::Tensor sums = block_sums(rows, width);
    with_type(kept, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(rows, [&](int64_t first, int64_t count, int64_t block) {
        const int64_t place = first * width;
        kernels.activate_backward(data<T>(gradient) + place, data<T>(kept) + place, floats(bias),
                                  activation, mask(key, rate, place), {count, width},
                                  data<T>(grad_h) + place, floats(sums) + block * width);
      });
    });
    return {grad_h, sums.sum(0), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

class AddLinear : public Function<AddLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& h,
                            const at::Tensor& /*weight*/, const at::Tensor& bias,
                            const at::Tensor& operand, double scale, int64_t key, double rate) {
    const at::Tensor x = input.contiguous(), out = at::empty_like(x);
    const at::Tensor inner = flat(h).to(operand.scalar_type());
    const at::Tensor y = at::mm(inner, operand.t());
    const int64_t width = y.size(1);
    with_type(y, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(y.size(0), [&](int64_t first, int64_t count, int64_t) {
        const int64_t place = first * width;
        kernels.add_residual(floats(x) + place, data<T>(y) + place, floats(bias),
                             static_cast<float>(scale), mask(key, rate, place), {count, width},
                             floats(out) + place);
      });
    });
    context->save_for_backward({inner, operand});
    context->saved_data["scale"] = scale;
    context->saved_data["key"] = key;
    context->saved_data["rate"] = rate;
    context->saved_data["type"] = static_cast<int64_t>(h.scalar_type());
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &inner = saved[0], &operand = saved[1];
    const auto scale = static_cast<float>(context->saved_data["scale"].toDouble());
    const int64_t key = context->saved_data["key"].toInt();
    const double rate = context->saved_data["rate"].toDouble();
    const at::Tensor gradient = flat(gradients[0]);
    const int64_t rows = gradient.size(0), width = gradient.size(1);
    const at::Tensor grad_y = at::empty(gradient.sizes(), inner.options());
    const at::Tensor sums = block_sums(rows, width);
    with_type(grad_y, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_block(rows, [&](int64_t first, int64_t count, int64_t block) {
        const int64_t place = first * width;
        kernels.add_residual_backward(floats(gradient) + place, scale, mask(key, rate, place),
                                      {count, width}, data<T>(grad_y) + place,
                                      floats(sums) + block * width);
      });
    });
    const auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
    const at::Tensor grad_h = like_with_last(at::mm(grad_y, operand), gradients[0]).to(type);
    return {gradients[0], grad_h,       as_float(at::mm(grad_y.t(), inner)),
            sums.sum(0),  at::Tensor(), at::Tensor(),
            at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor norm_linear(const at::Tensor& x, const LayerNorm& norm, const Linear& map,
                       const ForwardContext& context) {
  return NormLinear::apply(x, norm.weight, norm.bias, map.weight, context.operand(map.weight));
}

at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias, Activation activation,
                              double rate, const ForwardContext& context) {
  const DropoutPlace dropout(rate, context);
  return ActivateWithBias::apply(h, bias, static_cast<int64_t>(activation), dropout.key,
                                 dropout.rate);
}

at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const Linear& map, double scale,
                      double rate, const ForwardContext& context) {
  const DropoutPlace dropout(rate, context);
  return AddLinear::apply(x, h, map.weight, map.bias, context.operand(map.weight), scale,
                          dropout.key, dropout.rate);
}

}  // namespace scion::fused
