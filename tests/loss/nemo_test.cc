// A FastConformer transducer of NeMo, weight by weight: encoder, predictor, loss and gradients.
#include <gtest/gtest.h>

#include "scion/core/files/safetensors.h"
#include "scion/loss/transducer_loss.h"
#include "scion/model/transducer.h"

namespace scion {
namespace {

const SafeTensors& nemo() {
  static const SafeTensors tensors =
      read_safetensors(SCION_SOURCE_DIR "/tests/golden/nemo/fastconformer.safetensors");
  return tensors;
}

ModelConfig nemo_config() {
  ModelConfig config;
  config.features.bins = 80;
  config.features.normalisation = FeatureNormalisation::none;
  config.conformer = {.width = 32,
                      .layers = 2,
                      .heads = 4,
                      .head_width = 8,
                      .feed_forward = 128,
                      .kernel = 9,
                      .subsampling = 8,
                      .subsampling_channels = 32,
                      .input_scaling = true,
                      .positions = RelativePositions::sinusoid,
                      .activation = Activation::swish};
  config.predictor = PredictorKind::lstm;
  config.predictor_width = 32;
  config.joiner_width = 32;
  config.joiner_activation = JoinerActivation::relu;
  config.ctc = false;
  return config;
}

// The NeMo tensors that make up one parameter: stacked along their first dimension, or summed.
struct Source {
  std::vector<std::string> names;
  bool sum = false;
};

Source layer_source(const std::string& name, const std::string& nemo_layer) {
  static const std::map<std::string, Source> others = {
      {"attention.in.weight",
       {{"self_attn.linear_q.weight", "self_attn.linear_k.weight", "self_attn.linear_v.weight"}}},
      {"attention.in.bias",
       {{"self_attn.linear_q.bias", "self_attn.linear_k.bias", "self_attn.linear_v.bias"}}},
      {"attention.norm.weight", {{"norm_self_att.weight"}}},
      {"attention.norm.bias", {{"norm_self_att.bias"}}},
      {"attention.out.weight", {{"self_attn.linear_out.weight"}}},
      {"attention.out.bias", {{"self_attn.linear_out.bias"}}},
      {"attention.position.weight", {{"self_attn.linear_pos.weight"}}},
      {"attention.content_offset", {{"self_attn.pos_bias_u"}}},
      {"attention.position_offset", {{"self_attn.pos_bias_v"}}},
      {"convolution.norm.weight", {{"norm_conv.weight"}}},
      {"convolution.norm.bias", {{"norm_conv.bias"}}},
      {"convolution.pointwise1.weight", {{"conv.pointwise_conv1.weight"}}},
      {"convolution.pointwise1.bias", {{"conv.pointwise_conv1.bias"}}},
      {"convolution.depthwise.weight", {{"conv.depthwise_conv.weight"}}},
      {"convolution.depthwise.bias", {{"conv.depthwise_conv.bias"}}},
      {"convolution.convolution_norm.weight", {{"conv.batch_norm.weight"}}},
      {"convolution.convolution_norm.bias", {{"conv.batch_norm.bias"}}},
      {"convolution.convolution_norm.running_mean", {{"conv.batch_norm.running_mean"}}},
      {"convolution.convolution_norm.running_variance", {{"conv.batch_norm.running_var"}}},
      {"convolution.pointwise2.weight", {{"conv.pointwise_conv2.weight"}}},
      {"convolution.pointwise2.bias", {{"conv.pointwise_conv2.bias"}}},
      {"feed_forward1.norm.weight", {{"norm_feed_forward1.weight"}}},
      {"feed_forward1.norm.bias", {{"norm_feed_forward1.bias"}}},
      {"feed_forward2.norm.weight", {{"norm_feed_forward2.weight"}}},
      {"feed_forward2.norm.bias", {{"norm_feed_forward2.bias"}}},
      {"norm.weight", {{"norm_out.weight"}}},
      {"norm.bias", {{"norm_out.bias"}}}};
  const auto found = others.find(name);
  Source source = found == others.end() ? Source{{name}} : found->second;
  for (std::string& each : source.names) each.insert(0, nemo_layer);
  return source;
}

// Empty for parameters that NeMo does not have.
Source nemo_source(const std::string& name) {
  static const std::map<std::string, Source> single = {
      {"encoder.subsampling.convolution1.", {{"encoder.pre_encode.conv.0."}}},
      {"encoder.subsampling.depthwise2.", {{"encoder.pre_encode.conv.2."}}},
      {"encoder.subsampling.pointwise2.", {{"encoder.pre_encode.conv.3."}}},
      {"encoder.subsampling.depthwise3.", {{"encoder.pre_encode.conv.5."}}},
      {"encoder.subsampling.pointwise3.", {{"encoder.pre_encode.conv.6."}}},
      {"encoder.subsampling.projection.", {{"encoder.pre_encode.out."}}},
      {"joiner.encoder_projection.", {{"joint.enc."}}},
      {"joiner.predictor_projection.", {{"joint.pred."}}},
      {"joiner.output.", {{"joint.joint_net.2."}}}};
  const std::string lstm = "decoder.prediction.dec_rnn.lstm.";
  if (name == "predictor.embedding") return {{"decoder.prediction.embed.weight"}};
  if (name == "predictor.layers.0.input.weight") return {{lstm + "weight_ih_l0"}};
  if (name == "predictor.layers.0.hidden.weight") return {{lstm + "weight_hh_l0"}};
  if (name == "predictor.layers.0.bias") return {{lstm + "bias_ih_l0", lstm + "bias_hh_l0"}, true};
  const std::string layers = "encoder.layers.";
  if (name.starts_with(layers))
    return layer_source(name.substr(layers.size() + 2), name.substr(0, layers.size() + 2));
  for (const auto& [ours, theirs] : single)
    if (name.starts_with(ours)) return {{theirs.names[0] + name.substr(ours.size())}};
  return {};
}

// A parameter, or its gradient, from NeMo's tensors (gradients of summed tensors are equal: the
// first is used).
at::Tensor from_nemo(const Parameter& parameter, const std::string& kind) {
  const Source source = nemo_source(parameter.name);
  std::vector<at::Tensor> parts;
  for (const std::string& name : source.names) parts.push_back(nemo().at(kind + name));
  at::Tensor value = parts[0];
  if (parts.size() > 1 && !source.sum) value = at::cat(parts);
  if (source.sum && kind == "model.") value = parts[0] + parts[1];
  // The blank is last in NeMo, first in scion.
  if (parameter.name == "predictor.embedding") value = at::roll(value, 1, 0);
  return value.reshape(parameter.tensor.sizes());
}

Transducer nemo_model() {
  Transducer model(nemo_config(), 41);
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : model.registry().all())
    if (!nemo_source(parameter.name).names.empty())
      parameter.tensor.copy_(from_nemo(parameter, "model."));
  return model;
}

EncoderOutput encode(const Transducer& model, const ForwardContext& context = {}) {
  return model.encode(nemo().at("io.features").transpose(1, 2), nemo().at("io.feature_lens"),
                      context);
}

float largest_gap(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<float>();
}

TEST(Nemo, EncoderGivesItsFrames) {
  const at::NoGradGuard no_grad;
  const Transducer model = nemo_model();
  std::map<std::string, at::Tensor> shown;
  ForwardContext context;
  context.observe = [&](const std::string& place, const at::Tensor& x) { shown[place] = x; };
  const EncoderOutput encoded = encode(model, context);
  const at::Tensor expected = nemo().at("io.encoder_out").transpose(1, 2);
  ASSERT_TRUE(at::equal(encoded.lengths, nemo().at("io.encoder_out_lens")));
  ASSERT_EQ(encoded.frames.sizes(), expected.sizes());
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t frames = encoded.lengths[b].item<int64_t>();
    const auto valid = [&](const at::Tensor& x) { return x[b].slice(0, 0, frames); };
    EXPECT_LT(largest_gap(valid(shown.at("encoder.subsampling")),
                          valid(nemo().at("io.dbg.encoder.pre_encode"))),
              5e-5);
    EXPECT_LT(largest_gap(valid(shown.at("encoder.layers.0")),
                          valid(nemo().at("io.dbg.encoder.layers.0"))),
              5e-5);
    EXPECT_LT(largest_gap(valid(encoded.frames), valid(expected)), 5e-5);
  }
}

at::Tensor nemo_loss(const Transducer& model) {
  const ForwardContext context;
  const EncoderOutput encoded = encode(model);
  const at::Tensor targets = nemo().at("io.targets").to(at::kLong);
  const at::Tensor predicted = model.predictor().forward((targets + 1).remainder(41), context);
  return joiner_transducer_loss(
      model.joiner().inputs(encoded.frames, predicted, context),
      {targets, encoded.lengths, nemo().at("io.target_lens").to(at::kLong)}, {.blank = 40});
}

TEST(Nemo, PredictorGivesItsOutput) {
  const at::NoGradGuard no_grad;
  const Transducer model = nemo_model();
  const at::Tensor tokens = (nemo().at("io.targets").to(at::kLong) + 1).remainder(41);
  const at::Tensor expected = nemo().at("io.decoder_out").transpose(1, 2);
  EXPECT_LT(largest_gap(model.predictor().forward(tokens, ForwardContext()), expected), 1e-5);
}

TEST(Nemo, LossAndGradientsAreItsOwn) {
  const Transducer model = nemo_model();
  const at::Tensor loss = nemo_loss(model);
  const at::Tensor expected = nemo().at("io.rnnt_loss_per_utterance");
  EXPECT_LT(largest_gap(loss / expected, at::ones({3})), 1e-5);
  loss.sum().backward();
  int compared = 0;
  for (const Parameter& parameter : model.registry().all()) {
    if (!parameter.trainable || nemo_source(parameter.name).names.empty()) continue;
    SCOPED_TRACE(parameter.name);
    at::Tensor gradient = parameter.tensor.grad(), reference = from_nemo(parameter, "gradient.");
    if (parameter.name == "predictor.embedding") {
      gradient = gradient.slice(0, 1);  // NeMo keeps blank's row at zero
      reference = reference.slice(0, 1);
    }
    if (parameter.name.ends_with("attention.in.bias")) {
      // The keys' bias shifts all scores of a query by the same amount: its true gradient is zero.
      gradient = gradient.view({3, -1}).index_select(0, at::tensor({0, 2}));
      reference = reference.view({3, -1}).index_select(0, at::tensor({0, 2}));
    }
    EXPECT_LT((gradient - reference).norm().item<float>(), 1e-4 * reference.norm().item<float>());
    ++compared;
  }
  EXPECT_GT(compared, 70);
}

}  // namespace
}  // namespace scion
