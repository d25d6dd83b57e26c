#include "scion/core/device.h"
#include "scion/nn/operators/on_device_blocks.h"

namespace scion::on_device {
namespace {

/// What attention's two passes share besides tensors.
struct AttentionPlace {
  const ModelDevice* device;
  int64_t heads;
  AttentionSpan span;
  DeviceDropout dropout;
};

// Rows of the products' factors begin at multiples of 16 bytes, where tensor cores are fastest.
int64_t padded_to_eight(int64_t n) { return (n + 7) / 8 * 8; }

/// The arguments that all kernels share.
AttentionArguments arguments_of(const at::Tensor& h, const at::Tensor& lengths,
                                const AttentionPlace& place) {
  return {.utterances = h.size(0),
          .frames = h.size(1),
          .heads = place.heads,
          .width = h.size(2) / (3 * place.heads),
          .padded_frames = padded_to_eight(h.size(1)),
          .lengths = lengths.const_data_ptr<int64_t>(),
          .chunk = place.span.chunk,
          .left = place.span.left,
          .type = number_of_operand(h),
          .h = h.const_data_ptr(),
          .dropout = place.dropout};
}

/// (H · B, T', n) of x (H, B, T', n).
at::Tensor by_utterance(const at::Tensor& x) { return x.flatten(0, 1); }
/// (H, B · T', n): an utterance's positions are those of every other.
at::Tensor by_head(const at::Tensor& x) { return x.flatten(1, 2); }

/// The positions (2T − 1, H · d) of each head in the type of the products: (H, distances, d), with
/// zeros to a multiple of eight distances.
at::Tensor positions_of_heads(const at::Tensor& positions, int64_t heads, at::ScalarType type) {
  const int64_t distances = padded_to_eight(positions.size(0));
  const at::Tensor each = positions.view({positions.size(0), heads, -1}).transpose(0, 1).to(type);
  return at::constant_pad_nd(each, {0, 0, 0, distances - positions.size(0)}).contiguous();
}

/// Heads of h, scores, weights.
class DeviceAttention : public Function<DeviceAttention> {
 public:
  /// With `table` (H, 2R + 1), or with the other three.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& bias, const std::optional<at::Tensor>& table,
                            const std::optional<at::Tensor>& positions,
                            const std::optional<at::Tensor>& content_offset,
                            const std::optional<at::Tensor>& position_offset,
                            const at::Tensor& lengths, const AttentionPlace& place) {
    const at::Tensor h = input.contiguous();
    AttentionArguments a = arguments_of(h, lengths, place);
    const int64_t frames = a.padded_frames;
    // Content queries, keys, values, and queries of positions.
    const at::Tensor parts =
        at::empty({positions ? 4 : 3, a.heads, a.utterances, frames, a.width}, h.options());
    const at::Tensor entries = table ? table->contiguous() : at::Tensor();
    const at::Tensor distances =
        positions ? positions_of_heads(*positions, a.heads, h.scalar_type()) : at::Tensor();
    set_parts(a, parts);
    a.bias = numbers(bias);
    if (positions) {
      a.content_offset = numbers(*content_offset);
      a.position_offset = numbers(*position_offset);
    }
    place.device->kernels.split_heads(a, place.device->stream());

    const at::Tensor content =
        at::bmm(by_utterance(parts[0]), by_utterance(parts[1]).transpose(1, 2));
    const at::Tensor position =
        positions ? at::bmm(by_head(parts[3]), distances.transpose(1, 2)) : at::Tensor();
    const at::Tensor weights = at::empty_like(content);
    const bool drops = place.dropout.threshold != 0;
    const at::Tensor dropped = drops ? at::empty_like(content) : weights;
    a.content = content.const_data_ptr();
    set_positions(a, entries, position);
    a.weights = weights.mutable_data_ptr();
    a.dropped = drops ? dropped.mutable_data_ptr() : nullptr;
    place.device->kernels.weigh(a, place.device->stream());

    context->save_for_backward({h, lengths, parts, weights, entries, distances});
    keep(context, place);
    return at::bmm(dropped, by_utterance(parts[2]))
        .view({a.heads, a.utterances, frames, a.width})
        .slice(2, 0, a.frames)
        .permute({1, 2, 0, 3})
        .reshape({a.utterances, a.frames, a.columns()});
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &h = saved[0], &parts = saved[2], &weights = saved[3], &entries = saved[4];
    const at::Tensor& distances = saved[5];
    const auto& place = kept<AttentionPlace>(context);
    AttentionArguments a = arguments_of(h, saved[1], place);
    const at::Tensor gradient = by_utterance(at::constant_pad_nd(
        gradients[0].view({a.utterances, a.frames, a.heads, a.width}).permute({2, 0, 1, 3}),
        {0, 0, 0, a.padded_frames - a.frames}));
    const at::Tensor grad_dropped = at::bmm(gradient, by_utterance(parts[2]).transpose(1, 2));
    const bool drops = place.dropout.threshold != 0;
    const at::Tensor dropped = drops ? at::empty_like(weights) : weights;
    const at::Tensor grad_content = at::empty_like(weights);
    const at::Tensor grad_position =
        distances.defined()
            ? at::empty({a.heads, a.utterances * a.padded_frames, distances.size(1)}, h.options())
            : at::Tensor();
    const at::Tensor grad_table =
        entries.defined() ? empty_float({a.utterances, a.heads, entries.size(1)}, h) : at::Tensor();
    set_positions(a, entries, grad_position);
    a.weights = weights.mutable_data_ptr();
    a.grad_dropped = grad_dropped.const_data_ptr();
    a.dropped = drops ? dropped.mutable_data_ptr() : nullptr;
    a.grad_content = grad_content.mutable_data_ptr();
    if (distances.defined()) a.grad_position = grad_position.mutable_data_ptr();
    if (entries.defined()) a.grad_table = room(grad_table);
    place.device->kernels.weigh_backward(a, place.device->stream());

    const variable_list own = {
        at::bmm(grad_content, by_utterance(parts[1])),
        at::bmm(grad_content.transpose(1, 2), by_utterance(parts[0])),
        at::bmm(dropped.transpose(1, 2), gradient),
        distances.defined() ? at::bmm(grad_position, distances) : at::Tensor()};
    variable_list result = join(a, h, own, place);
    if (entries.defined()) result[2] = grad_table.sum(0);
    if (distances.defined())
      result[3] = at::bmm(grad_position.transpose(1, 2), by_head(parts[3]))
                      .slice(1, 0, 2 * a.frames - 1)
                      .transpose(0, 1)
                      .reshape({2 * a.frames - 1, a.columns()})
                      .to(at::kFloat);
    return result;
  }

 private:
  static void set_parts(AttentionArguments& a, const at::Tensor& parts) {
    a.content_query = parts[0].mutable_data_ptr();
    a.key = parts[1].mutable_data_ptr();
    a.value = parts[2].mutable_data_ptr();
    if (parts.size(0) > 3) a.position_query = parts[3].mutable_data_ptr();
  }

  static void set_positions(AttentionArguments& a, const at::Tensor& table,
                            const at::Tensor& position) {
    if (table.defined()) {
      a.table = numbers(table);
      a.range = table.size(1) / 2;
    } else {
      a.position = position.const_data_ptr();
      a.distances = position.size(2);
    }
  }

  /// The gradients of h, bias and offsets from those of content queries, keys, values and queries
  /// of positions, (H · B, T', d) or (H, B · T', d).
  static variable_list join(AttentionArguments a, const at::Tensor& h, const variable_list& own,
                            const AttentionPlace& place) {
    const at::Tensor grad_h = at::empty_like(h);
    const at::Tensor sums = empty_float({a.tiles().row_tiles(), 4, a.columns()}, h);
    a.grad_content_query = own[0].const_data_ptr();
    a.grad_key = own[1].const_data_ptr();
    a.grad_value = own[2].const_data_ptr();
    if (own[3].defined()) a.grad_position_query = own[3].const_data_ptr();
    a.grad_h = grad_h.mutable_data_ptr();
    a.sums = room(sums);
    place.device->kernels.join_heads_backward(a, place.device->stream());
    const at::Tensor sum = sums.sum(0);
    variable_list result(8);
    result[0] = grad_h;
    result[1] = at::cat({sum[0] + sum[3], sum[1], sum[2]});
    if (own[3].defined()) {
      result[4] = sum[0];
      result[5] = sum[3];
    }
    return result;
  }
};

}  // namespace

at::Tensor relative_attention(const ModelDevice& device, const at::Tensor& h,
                              const at::Tensor& bias, const at::Tensor& position_bias,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  const std::optional<at::Tensor> none;
  return DeviceAttention::apply(
      h, bias, std::optional(position_bias), none, none, none,
      upload(lengths, h.device()).contiguous(),
      AttentionPlace{&device, position_bias.size(0), span, next_dropout(rate, context)});
}

at::Tensor sinusoid_attention(const ModelDevice& device, const at::Tensor& h,
                              const at::Tensor& bias, const at::Tensor& positions,
                              const at::Tensor& content_offset, const at::Tensor& position_offset,
                              int64_t heads, const at::Tensor& lengths, const AttentionSpan& span,
                              double rate, const ForwardContext& context) {
  return DeviceAttention::apply(h, bias, std::optional<at::Tensor>(), std::optional(positions),
                                std::optional(content_offset), std::optional(position_offset),
                                upload(lengths, h.device()).contiguous(),
                                AttentionPlace{&device, heads, span, next_dropout(rate, context)});
}

}  // namespace scion::on_device
