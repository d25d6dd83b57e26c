#include "scion/model/composed.h"

namespace scion::composed {

at::Tensor norm_linear(const at::Tensor& x, const at::Tensor& norm_weight,
                       const at::Tensor& norm_bias, const at::Tensor& weight,
                       const Context& context) {
  return linear(at::layer_norm(x, {x.size(-1)}, norm_weight, norm_bias, 1e-5), weight, {}, context);
}

at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias,
                              const std::string& activation, double rate, const Context& context) {
  return dropout(activate(h + bias, activation), rate, context);
}

at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const at::Tensor& weight,
                      const at::Tensor& bias, double scale, double rate, const Context& context) {
  return at::add(x, dropout(linear(h, weight, bias, context), rate, context), scale);
}

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& weight,
                             const at::Tensor& weight_bias, const at::Tensor& lengths,
                             const BatchNorm& norm, const std::string& activation,
                             const Context& context) {
  const at::Tensor valid = valid_frames(lengths, h.size(1));
  at::Tensor y = at::glu(h + bias, -1).masked_fill(valid.logical_not().unsqueeze(2), 0);
  y = depthwise_convolution(y, weight, weight_bias);
  return activate(masked_batch_norm(y, valid, norm, context), activation);
}

// (T, T): the row of a table of distances −range … range, for each query and key.
static at::Tensor distance_rows(int64_t frames, int64_t range, at::Device device) {
  const at::Tensor time = at::arange(frames, at::TensorOptions(at::kLong).device(device));
  return (time.unsqueeze(0) - time.unsqueeze(1)).clamp(-range, range).add_(range);
}

at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              double rate, const Context& context) {
  const int64_t batch = h.size(0), frames = h.size(1), heads = position_bias.size(0);
  const at::Tensor stacked =
      (h + bias).view({batch, frames, 3, heads, -1}).permute({2, 0, 3, 1, 4});  // (3, B, H, T, d)
  const double scale = 1 / std::sqrt(static_cast<double>(stacked.size(4)));
  const at::Tensor rows = distance_rows(frames, position_bias.size(1) / 2, h.device());
  const at::Tensor distances = at::embedding(position_bias.t(), rows).permute({2, 0, 1});
  const at::Tensor hidden = valid_frames(lengths, frames).logical_not().view({batch, 1, 1, frames});
  const at::Tensor scores =
      at::add(distances, at::matmul(stacked[0], stacked[1].transpose(2, 3)), scale)
          .masked_fill(hidden, -std::numeric_limits<double>::infinity());
  const at::Tensor weights = dropout(at::softmax(scores, -1), rate, context);
  return at::matmul(weights, stacked[2]).transpose(1, 2).flatten(2);
}

// (B, H, T, 2T−1) by distance T−1 … −(T−1) → (B, H, T, T) by key: row t starts T−1−t later.
static at::Tensor shift_to_keys(const at::Tensor& x) {
  const int64_t frames = x.size(2);
  const at::Tensor padded = at::constant_pad_nd(x, {1, 0}).view({x.size(0), x.size(1), -1, frames});
  return padded.slice(2, 1).view_as(x).slice(3, 0, frames);
}

at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, double rate, const Context& context) {
  const int64_t batch = h.size(0), frames = h.size(1), width = h.size(2) / (3 * heads);
  const at::Tensor stacked = (h + bias)
                                 .view({batch, frames, 3, heads, width})
                                 .permute({2, 0, 3, 1, 4});  // (3, B, H, T, d)
  const auto query = [&](const at::Tensor& offset) {
    return stacked[0] + offset.view({heads, 1, width});
  };
  const at::Tensor content = at::matmul(query(content_offset), stacked[1].transpose(2, 3));
  const at::Tensor distances =
      positions.view({-1, heads, width}).permute({1, 2, 0});  // (H, d, 2T−1)
  const at::Tensor position = shift_to_keys(at::matmul(query(position_offset), distances));
  const at::Tensor hidden = valid_frames(lengths, frames).logical_not().view({batch, 1, 1, frames});
  const at::Tensor scores = ((content + position) / std::sqrt(static_cast<double>(width)))
                                .masked_fill(hidden, -std::numeric_limits<double>::infinity());
  const at::Tensor weights = dropout(at::softmax(scores, -1), rate, context);
  return at::matmul(weights, stacked[2]).transpose(1, 2).flatten(2);
}

at::Tensor subsample(const at::Tensor& features, const at::Tensor& weight1, const at::Tensor& bias1,
                     const at::Tensor& weight2, const at::Tensor& bias2, int64_t stride2,
                     const at::Tensor& lengths) {
  const at::Tensor x = at::relu(at::conv2d(features.unsqueeze(1), weight1, bias1, 2));
  return at::relu(at::conv2d(x, weight2, bias2, stride2)).permute({0, 2, 3, 1});
}

}  // namespace scion::composed
