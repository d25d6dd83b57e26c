#include "scion/nn/operators/fused.h"
#include "scion/nn/operators/fused_blocks.h"

namespace scion::fused {
namespace {

struct AttentionSizes {
  int64_t batch, frames, heads, width, range;
  AttentionSpan span;

  AttentionSizes(const at::Tensor& h, int64_t heads, int64_t range, const AttentionSpan& span)
      : batch(h.size(0)),
        frames(h.size(1)),
        heads(heads),
        width(h.size(2) / (3 * heads)),
        range(range),
        span(span) {}
  AttentionShape of(const at::Tensor& lengths, int64_t b) const {
    return {frames,   lengths.const_data_ptr<int64_t>()[b], heads, width, range, span.chunk,
            span.left};
  }
  /// Index of the first weight of a head in (B, H, T, T).
  int64_t first_weight(int64_t b, int64_t head) const {
    return (b * heads + head) * frames * frames;
  }
};

// Calls work(utterance, head, scratch); each thread processes whole heads.
template <class Work>
void for_each_head(const AttentionSizes& sizes, const Work& work) {
  const AttentionShape longest{sizes.frames, sizes.frames, sizes.heads, sizes.width, sizes.range};
  at::parallel_for(0, sizes.batch * sizes.heads, 1, [&](int64_t begin, int64_t end) {
    const at::Tensor scratch = at::empty({longest.position_scratch()}, at::kFloat);
    for (int64_t i = begin; i < end; ++i) work(i / sizes.heads, i % sizes.heads, floats(scratch));
  });
}

void save_span(AutogradContext* context, const AttentionSpan& span) {
  context->saved_data["chunk"] = span.chunk;
  context->saved_data["left"] = span.left;
}

AttentionSpan saved_span(AutogradContext* context) {
  return {context->saved_data["chunk"].toInt(), context->saved_data["left"].toInt()};
}

class RelativeAttention : public Function<RelativeAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& bias, const at::Tensor& position_bias,
                            const at::Tensor& lengths, int64_t chunk, int64_t left, int64_t key,
                            double rate) {
    const at::Tensor h = input.contiguous(), table = position_bias.contiguous();
    const AttentionSizes sizes(h, table.size(0), table.size(1) / 2, {chunk, left});
    const at::Tensor out =
        at::empty({sizes.batch, sizes.frames, sizes.heads * sizes.width}, h.options());
    const at::Tensor log_sums = at::empty({sizes.batch, sizes.heads, sizes.frames}, at::kFloat);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_head(sizes, [&](int64_t b, int64_t head, float* scratch) {
        kernels.attend(data<T>(h) + b * h.stride(0), floats(bias),
                       floats(table) + head * table.size(1), sizes.of(lengths, b), head,
                       mask(key, rate, sizes.first_weight(b, head)), scratch,
                       data<T>(out) + b * out.stride(0),
                       floats(log_sums) + (b * sizes.heads + head) * sizes.frames);
      });
    });
    context->save_for_backward({h, bias, table, lengths, log_sums});
    save_span(context, sizes.span);
    context->saved_data["key"] = key;
    context->saved_data["rate"] = rate;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &h = saved[0], &bias = saved[1], &table = saved[2], &lengths = saved[3];
    const at::Tensor& log_sums = saved[4];
    const AttentionSizes sizes(h, table.size(0), table.size(1) / 2, saved_span(context));
    const int64_t key = context->saved_data["key"].toInt();
    const double rate = context->saved_data["rate"].toDouble();
    const at::Tensor gradient = gradients[0].contiguous(), grad_h = at::empty_like(h);
    const at::Tensor grad_bias = at::empty({sizes.batch, h.size(2)}, at::kFloat);
    const at::Tensor grad_table = at::zeros({sizes.batch, sizes.heads, table.size(1)}, at::kFloat);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_head(sizes, [&](int64_t b, int64_t head, float* scratch) {
        const int64_t place = b * sizes.heads + head;
        kernels.attend_backward(
            data<T>(gradient) + b * gradient.stride(0), data<T>(h) + b * h.stride(0), floats(bias),
            floats(table) + head * table.size(1), floats(log_sums) + place * sizes.frames,
            sizes.of(lengths, b), head, mask(key, rate, sizes.first_weight(b, head)), scratch,
            data<T>(grad_h) + b * h.stride(0), floats(grad_bias) + b * h.size(2),
            floats(grad_table) + place * table.size(1));
      });
    });
    return {grad_h,       grad_bias.sum(0), grad_table.sum(0), at::Tensor(),
            at::Tensor(), at::Tensor(),     at::Tensor(),      at::Tensor()};
  }
};

// The positions in the kernels' layout: rows (H, 2T − 1, d), d padded to whole vectors, and columns
// (H, d, stride).
struct PositionTables {
  at::Tensor rows, columns;

  PositionTables(const at::Tensor& positions, const AttentionSizes& sizes) {
    constexpr int64_t lanes = 16;
    const at::Tensor heads = positions.view({-1, sizes.heads, sizes.width});
    rows = at::constant_pad_nd(heads.transpose(0, 1), {0, (lanes - sizes.width % lanes) % lanes})
               .contiguous();
    columns = at::constant_pad_nd(heads.permute({1, 2, 0}), {0, HeadPositions::spare}).contiguous();
  }
  HeadPositions of(int64_t head) const {
    return {floats(rows) + head * rows.stride(0), floats(columns) + head * columns.stride(0),
            columns.size(2)};
  }
};

// `offset` is the position offset minus the content offset; `bias` includes the latter.
class SinusoidAttention : public Function<SinusoidAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& bias, const at::Tensor& offset,
                            const at::Tensor& positions, int64_t heads, const at::Tensor& lengths,
                            int64_t chunk, int64_t left, int64_t key, double rate) {
    const at::Tensor h = input.contiguous();
    const AttentionSizes sizes(h, heads, 0, {chunk, left});
    const PositionTables tables(positions, sizes);
    const at::Tensor out =
        at::empty({sizes.batch, sizes.frames, sizes.heads * sizes.width}, h.options());
    const at::Tensor log_sums = at::empty({sizes.batch, sizes.heads, sizes.frames}, at::kFloat);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_head(sizes, [&](int64_t b, int64_t head, float* scratch) {
        kernels.attend_positions(data<T>(h) + b * h.stride(0), floats(bias), floats(offset),
                                 tables.of(head), sizes.of(lengths, b), head,
                                 mask(key, rate, sizes.first_weight(b, head)), scratch,
                                 data<T>(out) + b * out.stride(0),
                                 floats(log_sums) + (b * sizes.heads + head) * sizes.frames);
      });
    });
    context->save_for_backward({h, bias, offset, positions, lengths, log_sums});
    context->saved_data["heads"] = heads;
    save_span(context, sizes.span);
    context->saved_data["key"] = key;
    context->saved_data["rate"] = rate;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &h = saved[0], &bias = saved[1], &offset = saved[2], &positions = saved[3];
    const at::Tensor &lengths = saved[4], &log_sums = saved[5];
    const AttentionSizes sizes(h, context->saved_data["heads"].toInt(), 0, saved_span(context));
    const PositionTables tables(positions, sizes);
    const int64_t key = context->saved_data["key"].toInt();
    const double rate = context->saved_data["rate"].toDouble();
    const at::Tensor gradient = gradients[0].contiguous(), grad_h = at::empty_like(h);
    const at::Tensor grad_bias = at::empty({sizes.batch, h.size(2)}, at::kFloat);
    const at::Tensor grad_offset = at::empty({sizes.batch, offset.numel()}, at::kFloat);
    const at::Tensor grad_rows =
        at::zeros({sizes.batch, sizes.heads, tables.rows.size(1), tables.rows.size(2)}, at::kFloat);
    with_type(h, [&](const auto& kernels, auto zero) {
      using T = decltype(zero);
      for_each_head(sizes, [&](int64_t b, int64_t head, float* scratch) {
        const int64_t place = b * sizes.heads + head;
        kernels.attend_positions_backward(
            data<T>(gradient) + b * gradient.stride(0), data<T>(h) + b * h.stride(0), floats(bias),
            floats(offset), tables.of(head), floats(log_sums) + place * sizes.frames,
            sizes.of(lengths, b), head, mask(key, rate, sizes.first_weight(b, head)), scratch,
            data<T>(grad_h) + b * h.stride(0), floats(grad_bias) + b * h.size(2),
            floats(grad_offset) + b * offset.numel(),
            floats(grad_rows) + place * grad_rows.stride(1));
      });
    });
    const at::Tensor grad_positions =
        grad_rows.sum(0).slice(2, 0, sizes.width).transpose(0, 1).reshape(positions.sizes());
    return {grad_h,       grad_bias.sum(0), grad_offset.sum(0), grad_positions, at::Tensor(),
            at::Tensor(), at::Tensor(),     at::Tensor(),       at::Tensor(),   at::Tensor()};
  }
};

}  // namespace

at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  const DropoutPlace dropout(rate, context);
  return RelativeAttention::apply(h, bias, position_bias, lengths, span.chunk, span.left,
                                  dropout.key, dropout.rate);
}

at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  const DropoutPlace dropout(rate, context);
  const at::Tensor query_bias =
      at::constant_pad_nd(content_offset, {0, 2 * content_offset.size(0)});
  return SinusoidAttention::apply(h, bias + query_bias, position_offset - content_offset,
                                  positions.contiguous(), heads, lengths, span.chunk, span.left,
                                  dropout.key, dropout.rate);
}

}  // namespace scion::fused
