#include "scion/nn/operators/on_device_blocks.h"

namespace scion::on_device {
namespace {

/// What a backward pass needs besides tensors.
struct Place {
  const ModelDevice* device;
  DeviceDropout dropout;
  Activation activation = Activation::none;
  float scale = 1;
};

RowTiles tiles_of(const at::Tensor& x) {
  return {x.size(-1) == 0 ? 0 : x.numel() / x.size(-1), x.size(-1)};
}

class DropElements : public Function<DropElements> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const Place& place) {
    keep(context, place);
    return drop(x, place);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {drop(gradients[0], kept<Place>(context)), at::Tensor()};
  }

 private:
  static at::Tensor drop(const at::Tensor& input, const Place& place) {
    const at::Tensor x = input.contiguous(), out = at::empty_like(x);
    place.device->kernels.dropout({.tiles = tiles_of(x),
                                   .type = number_of_operand(x),
                                   .in = x.const_data_ptr(),
                                   .dropout = place.dropout,
                                   .out = out.mutable_data_ptr()},
                                  place.device->stream());
    return out;
  }
};

class DeviceNormLinear : public Function<DeviceNormLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& norm_weight, const at::Tensor& norm_bias,
                            const at::Tensor& /*weight*/, const at::Tensor& operand,
                            const Place& place) {
    const at::Tensor x = flat(input);
    const at::Tensor normed = at::empty(x.sizes(), operand.options());
    const at::Tensor statistics = at::empty({x.size(0), 2}, x.options());
    NormArguments a = arguments(x, normed, norm_weight, statistics);
    a.bias = numbers(norm_bias);
    a.out = normed.mutable_data_ptr();
    place.device->kernels.layer_norm(a, place.device->stream());
    context->save_for_backward({x, statistics, normed, norm_weight, operand});
    keep(context, place);
    return like_with_last(at::mm(normed, operand.t()), input);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &normed = saved[2], &operand = saved[4];
    const auto& place = kept<Place>(context);
    const at::Tensor gradient = flat(gradients[0]);
    const at::Tensor grad_weight = product_in_float(gradient.t(), normed);
    const at::Tensor grad_normed = at::mm(gradient, operand), grad_x = at::empty_like(x);
    NormArguments a = arguments(x, grad_normed, saved[3], saved[1]);
    const at::Tensor sums = empty_float({a.backward_launch().blocks, 2, x.size(1)}, x);
    a.gradient = grad_normed.const_data_ptr();
    a.grad_x = room(grad_x);
    a.sums = room(sums);
    place.device->kernels.layer_norm_backward(a, place.device->stream());
    const at::Tensor sum = sums.sum(0);
    return {like_with_last(grad_x, gradients[0]),
            sum[0],
            sum[1],
            grad_weight,
            at::Tensor(),
            at::Tensor()};
  }

 private:
  static NormArguments arguments(const at::Tensor& x, const at::Tensor& normed,
                                 const at::Tensor& weight, const at::Tensor& statistics) {
    return {.rows = x.size(0),
            .width = x.size(1),
            .type = number_of_operand(normed),
            .x = numbers(x),
            .weight = numbers(weight),
            .statistics = room(statistics)};
  }
};

class DeviceActivate : public Function<DeviceActivate> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& bias, const Place& place) {
    const at::Tensor h = input.contiguous(), out = at::empty_like(h);
    ActivateArguments a = arguments(h, bias, place);
    a.out = out.mutable_data_ptr();
    place.device->kernels.activate(a, place.device->stream());
    context->save_for_backward({h, bias});
    keep(context, place);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const auto& place = kept<Place>(context);
    const at::Tensor gradient = gradients[0].contiguous(), grad_h = at::empty_like(gradient);
    ActivateArguments a = arguments(saved[0], saved[1], place);
    const at::Tensor sums = tile_sums(a.tiles, gradient);
    a.gradient = gradient.const_data_ptr();
    a.grad_h = grad_h.mutable_data_ptr();
    a.sums = room(sums);
    place.device->kernels.activate_backward(a, place.device->stream());
    return {grad_h, sums.sum(0), at::Tensor()};
  }

 private:
  static ActivateArguments arguments(const at::Tensor& h, const at::Tensor& bias,
                                     const Place& place) {
    return {.tiles = tiles_of(h),
            .type = number_of_operand(h),
            .h = h.const_data_ptr(),
            .bias = numbers(bias),
            .activation = place.activation,
            .dropout = place.dropout};
  }
};

class DeviceAddLinear : public Function<DeviceAddLinear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& h,
                            const at::Tensor& /*weight*/, const at::Tensor& bias,
                            const at::Tensor& operand, const Place& place) {
    const at::Tensor x = input.contiguous(), out = at::empty_like(x);
    const at::Tensor inner = flat(h).to(operand.scalar_type());
    const at::Tensor y = at::mm(inner, operand.t());
    ResidualArguments a = arguments(x, y, place);
    a.y = y.const_data_ptr();
    a.bias = numbers(bias);
    a.out = room(out);
    place.device->kernels.add_residual(a, place.device->stream());
    context->save_for_backward({inner, operand});
    context->saved_data["type"] = static_cast<int64_t>(h.scalar_type());
    keep(context, place);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &inner = saved[0], &operand = saved[1];
    const auto& place = kept<Place>(context);
    const at::Tensor gradient = flat(gradients[0]);
    const at::Tensor grad_y = at::empty(gradient.sizes(), inner.options());
    ResidualArguments a = arguments(gradient, grad_y, place);
    const at::Tensor sums = tile_sums(a.tiles, gradient);
    a.grad_y = grad_y.mutable_data_ptr();
    a.sums = room(sums);
    place.device->kernels.add_residual_backward(a, place.device->stream());
    const auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
    return {gradients[0],
            like_with_last(at::mm(grad_y, operand), gradients[0]).to(type),
            product_in_float(grad_y.t(), inner),
            sums.sum(0),
            at::Tensor(),
            at::Tensor()};
  }

 private:
  static ResidualArguments arguments(const at::Tensor& x, const at::Tensor& y, const Place& place) {
    return {.tiles = tiles_of(y),
            .type = number_of_operand(y),
            .x = numbers(x),
            .scale = place.scale,
            .dropout = place.dropout};
  }
};

}  // namespace

at::Tensor dropout(const ModelDevice& device, const at::Tensor& x, double rate,
                   const ForwardContext& context) {
  if (!context.training() || rate == 0) return x;
  return DropElements::apply(x, Place{&device, next_dropout(rate, context)});
}

at::Tensor norm_linear(const ModelDevice& device, const at::Tensor& x, const LayerNorm& norm,
                       const Linear& map, const ForwardContext& context) {
  return DeviceNormLinear::apply(x, norm.weight, norm.bias, map.weight, context.operand(map.weight),
                                 Place{.device = &device});
}

at::Tensor activate_with_bias(const ModelDevice& device, const at::Tensor& h,
                              const at::Tensor& bias, Activation activation, double rate,
                              const ForwardContext& context) {
  return DeviceActivate::apply(h, bias, Place{&device, next_dropout(rate, context), activation});
}

at::Tensor add_linear(const ModelDevice& device, const at::Tensor& x, const at::Tensor& h,
                      const Linear& map, double scale, double rate, const ForwardContext& context) {
  return DeviceAddLinear::apply(x, h, map.weight, map.bias, context.operand(map.weight),
                                Place{.device = &device,
                                      .dropout = next_dropout(rate, context),
                                      .scale = static_cast<float>(scale)});
}

}  // namespace scion::on_device
