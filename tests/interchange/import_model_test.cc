// NeMo's own models and what NeMo makes of them (tests/golden/nemo).
#include "scion/interchange/import_model.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/safetensors.h"
#include "scion/core/files/tar.h"
#include "scion/interchange/nemo_weights.h"
#include "scion/interchange/torch_file.h"
#include "scion/loss/transducer_loss.h"
#include "scion/model/streaming_encoder.h"
#include "scion/search/search.h"
#include "scion/text/tokenizer.h"

namespace scion {
namespace {

const std::string golden = SCION_SOURCE_DIR "/tests/golden/nemo/";

SafeTensors numbers_of(const std::string& name) {
  return read_safetensors(golden + name + ".safetensors");
}

float widest_gap(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<float>();
}

/// Features of the golden audio, (B, T, F), with its lengths in frames.
std::pair<at::Tensor, at::Tensor> features_of(const SafeTensors& nemo,
                                              const FeatureConfig& config) {
  const at::Tensor audio =
      nemo.contains("audio") ? nemo.at("audio") : nemo.at("audio_int16").to(at::kFloat).div(32768);
  const at::Tensor& lengths = nemo.at("audio_lens");
  const Fbank fbank(config);
  const int64_t* samples = lengths.const_data_ptr<int64_t>();
  at::Tensor frames = at::empty_like(lengths);
  for (int64_t b = 0; b < lengths.numel(); ++b) frames[b] = fbank.frame_count(samples[b]);
  return {fbank.compute(audio, {samples, samples + lengths.numel()}), frames};
}

void expect_valid_rows_near(const at::Tensor& x, const at::Tensor& nemo, const at::Tensor& lengths,
                            double gap) {
  for (int64_t b = 0; b < lengths.size(0); ++b) {
    const int64_t length = lengths[b].item<int64_t>();
    EXPECT_LT(widest_gap(x[b].slice(0, 0, length), nemo[b].slice(0, 0, length)), gap) << b;
  }
}

/// Encoder, predictor and joiner against NeMo's.
void expect_same_stages(const Transducer& model, const SafeTensors& nemo,
                        const std::string& logits) {
  const at::NoGradGuard no_grad;
  const ForwardContext context;
  const auto [features, frames] = features_of(nemo, model.config().features);
  // NeMo computes in float32, which shows in nearly empty bins.
  if (nemo.contains("features"))
    expect_valid_rows_near(model.normalise(features, frames), nemo.at("features").transpose(1, 2),
                           frames, 5e-4);
  EXPECT_TRUE(at::equal(frames, nemo.at("feature_lens")));
  const EncoderOutput encoded = model.encode(features, frames, context);
  ASSERT_TRUE(at::equal(encoded.lengths, nemo.at("encoder_out_lens")));
  expect_valid_rows_near(encoded.frames, nemo.at("encoder_out").transpose(1, 2), encoded.lengths,
                         5e-5);
  const at::Tensor predicted = model.predictor().forward(nemo.at("targets") + 1, context);
  const at::Tensor e = model.joiner().project_encoder(encoded.frames, context).unsqueeze(2);
  const at::Tensor p = model.joiner().project_predictor(predicted, context).unsqueeze(1);
  const at::Tensor z = model.joiner().logits(e, p);
  if (nemo.contains("joint_duration_logits"))
    expect_valid_rows_near(model.joiner().token_and_duration_logits(e, p).second,
                           nemo.at("joint_duration_logits"), encoded.lengths, 1e-4);
  expect_valid_rows_near(at::roll(z, -1, 3), nemo.at(logits), encoded.lengths, 1e-4);
}

std::vector<int64_t> tokens_of(const at::Tensor& nemo) {
  const at::Tensor ours = nemo + 1;
  return {ours.const_data_ptr<int64_t>(), ours.const_data_ptr<int64_t>() + ours.numel()};
}

void expect_same_tokens(const Transducer& model, const SafeTensors& nemo,
                        const std::string& prefix) {
  const at::NoGradGuard no_grad;
  const auto [features, frames] = features_of(nemo, model.config().features);
  const std::vector<Hypothesis> found =
      find_hypotheses(model, model.encode(features, frames, {}), {.symbols_per_frame = 10}, {});
  for (size_t b = 0; b < found.size(); ++b)
    EXPECT_EQ(found[b].tokens, tokens_of(nemo.at(prefix + std::to_string(b)))) << b;
}

TEST(ImportModel, ACharacterModelComputesWhatNemoComputes) {
  const ImportedModel imported = import_model(golden + "char.nemo", {});
  const Transducer& model = *imported.file.model;
  expect_same_stages(model, numbers_of("char"), "joint_logits");
  expect_same_tokens(model, numbers_of("char"), "greedy.");
  const Tokenizer tokenizer(imported.file.tokenizer);
  EXPECT_EQ(tokenizer.size(), 29);
  EXPECT_EQ(tokenizer.encode("a zoo's"), (std::vector<int64_t>{2, 1, 27, 16, 16, 28, 20}));
  EXPECT_EQ(tokenizer.decode({2, 1, 27, 16, 16, 28, 20}), "a zoo's");
}

TEST(ImportModel, APieceModelComputesWhatNemoComputes) {
  const ImportedModel imported = import_model(golden + "bpe.nemo", {});
  expect_same_stages(*imported.file.model, numbers_of("bpe"), "joint_logits");
  expect_same_tokens(*imported.file.model, numbers_of("bpe"), "greedy.");
  const Tokenizer tokenizer(imported.file.tokenizer);
  EXPECT_EQ(tokenizer.encode("one two three"),
            (std::vector<int64_t>{19, 23, 7, 8, 15, 8, 28, 3, 20}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("hello world")), "hello world");
  ASSERT_TRUE(imported.file.provenance.imported);
  EXPECT_EQ(imported.file.provenance.imported->kind, "EncDecRNNTBPEModel");
}

TEST(ImportModel, LossesOfTheFusedJoinerAreNemos) {
  const ImportedModel imported = import_model(golden + "char.nemo", {});
  const SafeTensors nemo = numbers_of("char");
  const at::NoGradGuard no_grad;
  const Transducer& model = *imported.file.model;
  const auto [features, frames] = features_of(nemo, model.config().features);
  const EncoderOutput encoded = model.encode(features, frames, {});
  const at::Tensor tokens = nemo.at("targets") + 1;
  const at::Tensor loss = joiner_transducer_loss(
      model.joiner().inputs(encoded.frames, model.predictor().forward(tokens, {}), {}),
      {tokens, encoded.lengths, nemo.at("target_lens")}, {});
  EXPECT_LT(widest_gap(loss / nemo.at("rnnt_loss_per_utterance"), at::ones({2})), 1e-5);
}

std::string file_in(const std::string& archive, const std::string& name) {
  for (TarReader reader(archive); reader.next();)
    if (reader.name().ends_with(name)) return reader.text(1 << 24);
  return "";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) ADD_FAILURE() << from;
  return text.replace(at, from.size(), to);
}

// 128 bins, no biases, no scaling, two LSTM layers.
TEST(ImportModel, ATdtModelComputesWhatNemoComputes) {
  const ImportedModel imported = import_model(golden + "tdt.nemo", {});
  const ModelConfig& config = imported.file.model->config();
  EXPECT_FALSE(config.conformer.biases);
  EXPECT_EQ(config.durations, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  expect_same_stages(*imported.file.model, numbers_of("tdt"), "joint_token_logits");
}

TEST(ImportModel, EveryContextOfACausalModelComputesWhatNemoComputes) {
  const at::NoGradGuard no_grad;
  const SafeTensors nemo = numbers_of("streaming");
  for (const int64_t right : {3, 1, 0}) {
    const ImportedModel imported =
        import_model(golden + "streaming.nemo", {.context = AttentionContext{8, right}});
    const Transducer& model = *imported.file.model;
    const std::string prefix = "ctx8_" + std::to_string(right) + ".";
    const auto [features, frames] = features_of(nemo, model.config().features);
    const EncoderOutput encoded = model.encode(features, frames, {});
    EXPECT_TRUE(at::equal(encoded.lengths, nemo.at(prefix + "encoder_out_lens")));
    const at::Tensor subsampled = model.subsample(features, frames, {});
    expect_valid_rows_near(subsampled, nemo.at("pre_encode_out"), encoded.lengths, 5e-5);
    expect_valid_rows_near(encoded.frames, nemo.at(prefix + "encoder_out").transpose(1, 2),
                           encoded.lengths, 5e-5);
    expect_same_tokens(model, nemo, prefix + "greedy.");
  }
}

// With right = 0, NeMo's own stream differs from its forward pass: zeros that it keeps as history
// pass through biases.
TEST(ImportModel, StreamsGiveNemosChunks) {
  const SafeTensors nemo = numbers_of("streaming");
  for (const int64_t right : {3, 1}) {
    const ImportedModel imported =
        import_model(golden + "streaming.nemo", {.context = AttentionContext{8, right}});
    const auto [features, frames] = features_of(nemo, imported.file.model->config().features);
    for (int64_t b = 0; b < 2; ++b) {
      const at::Tensor own = features[b].slice(0, 0, frames[b].item<int64_t>());
      StreamingEncoder stream(*imported.file.model, {});
      std::vector<at::Tensor> pieces;
      for (const at::Tensor& piece : own.split(23)) pieces.push_back(stream.accept(piece));
      pieces.push_back(stream.finish());
      const at::Tensor ours = at::cat(pieces, 1)[0];
      const at::Tensor theirs =
          nemo.at(fmt::format("ctx8_{}.utt{}.stream_encoder_out", right, b))[0].t();
      // NeMo's stream has one feature frame more, of zeros, which the last chunk sees.
      const int64_t chunk = right + 1;
      const int64_t whole = (std::min(ours.size(0), theirs.size(0)) - 1) / chunk * chunk;
      ASSERT_GT(whole, 20);
      EXPECT_LT(widest_gap(ours.slice(0, 0, whole), theirs.slice(0, 0, whole)), 5e-5);
    }
  }
}

std::string config_refusal(const std::string& from, const std::string& to) {
  try {
    read_nemo_config(replaced(file_in(golden + "bpe.nemo", "model_config.yaml"), from, to), "f",
                     {});
  } catch (const UserError& error) {
    return error.what() + ("; " + error.hint());
  }
  return "none";
}

TEST(ImportModel, KeysThatChangeTheMeaningAreHonouredOrNamed) {
  const std::vector<std::array<std::string, 3>> changes = {
      {"rel_pos\n", "abs_pos\n", "self_attention_model"},
      {"subsampling: dw_striding", "subsampling: vggnet", "'vggnet'"},
      {"subsampling_factor: 8", "subsampling_factor: 2", "subsampling_factor"},
      {"conv_norm_type: batch_norm", "conv_norm_type: group_norm", "'group_norm'"},
      {"window: hann", "window: blackman", "'blackman'"},
      {"n_fft: 512", "n_fft: 1024", "n_fft"},
      {"normalize: per_feature", "normalize: all_features", "'all_features'"},
      {"frame_splicing: 1", "frame_splicing: 3", "frame_splicing"},
      {"feat_in: 80", "feat_in: 64", "feat_in"},
      {"activation: relu", "activation: sigmoid", "'sigmoid'"},
      {"att_context_style: regular", "att_context_style: regular\n  new_key: 1", "new_key"},
      {"- -1\n  - -1", "- 64\n  - 64", "att_context_size"},
      {"window_size: 0.025", "window_size: 1.0e+18", "frame_length"},
      {"normalization_mode: null", "normalization_mode: layer", "normalization_mode"},
      {"type: bpe", "type: wpe", "'wpe'"},
      {"num_classes: 40", "num_classes: 40\n  num_extra_outputs: 5", "num_extra_outputs"},
      {"d_model: 32", "d_model: 33", "n_heads"},
      {"d_model: 32", "d_model: many", "'many'"},
      {"rnnt_bpe_models.EncDecRNNTBPEModel", "ctc_models.EncDecCTCModel", "EncDecRNNTBPEModel"}};
  for (const auto& [from, to, named] : changes)
    EXPECT_NE(config_refusal(from, to).find(named), std::string::npos)
        << to << ": " << config_refusal(from, to);
}

TEST(ImportModel, ReferencesOfTheConfigurationAreFollowed) {
  EXPECT_EQ(config_refusal("d_model: 32", "d_model: ${model_defaults.enc_hidden}"), "none");
  EXPECT_EQ(config_refusal("d_model: 32", "d_model: ${model.model_defaults.enc_hidden}"), "none");
  EXPECT_NE(config_refusal("d_model: 32", "d_model: ${model_defaults.nothing}").find("nowhere"),
            std::string::npos);
  EXPECT_NE(config_refusal("d_model: 32", "d_model: ${encoder.d_model}").find("itself"),
            std::string::npos);
}

TEST(ImportModel, TensorsThatDoNotFitAreNamed) {
  const NemoConfig config =
      read_nemo_config(file_in(golden + "bpe.nemo", "model_config.yaml"), "f", {});
  const std::string bytes = file_in(golden + "bpe.nemo", "model_weights.ckpt");
  const PickledValues values = parse_torch_file(bytes, "f");
  const NamedTensors whole = tensors_of(*values.root, "f");
  const auto refusal = [&](const NamedTensors& tensors) -> std::string {
    Transducer model(config.model, 41);
    try {
      copy_nemo_weights(tensors, model, "f");
    } catch (const UserError& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal(whole), "none");
  NamedTensors changed = whole;
  changed.erase("joint.enc.weight");
  EXPECT_NE(refusal(changed).find("'joint.enc.weight' is missing"), std::string::npos);
  changed = whole;
  changed["encoder.layers.2.norm_out.weight"] = at::zeros({32});
  EXPECT_NE(refusal(changed).find("encoder.layers.2.norm_out.weight"), std::string::npos);
  changed = whole;
  changed["encoder.layers.1.feed_forward1.linear1.weight"] = at::zeros({32, 128});
  EXPECT_NE(refusal(changed).find("encoder.layers.1.feed_forward1.linear1.weight"),
            std::string::npos);
}

TEST(ImportModel, OtherFilesAreRefused) {
  EXPECT_THROW(import_model(golden + "absent.nemo", {}), UserError);
  EXPECT_THROW(import_model(golden + "bpe.safetensors", {}), UserError);
  EXPECT_THROW(import_model(golden + "streaming.nemo", {.context = AttentionContext{70, 13}}),
               UserError);
}

}  // namespace
}  // namespace scion
