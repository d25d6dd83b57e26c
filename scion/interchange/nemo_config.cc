#include "scion/interchange/nemo_config.h"

#include <cmath>

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/interchange/yaml_table.h"

namespace scion {
namespace {

constexpr const char* no_layer = "scion has no layer that computes it";

/// UserError when a value is not in the range of its option.
template <class Config>
void check_ranges(const Config& config, const std::string& file) {
  Config checked;
  Options options;
  checked.declare(options);
  options.load_json(options_json(config), file);
}

// "EncDecRNNTModel" of "nemo.collections.asr.models.rnnt_models.EncDecRNNTModel".
std::string last_name(const std::string& path) { return path.substr(path.rfind('.') + 1); }

void read_target(YamlTable& section, const std::string& wanted) {
  const std::string target = section.text("_target_", wanted);
  if (last_name(target) != wanted) section.refuse("_target_", target, {wanted});
}

// ---- features -----------------------------------------------------------------------------------

// A number of samples, given as such or in seconds → ms.
double read_length(YamlTable& section, const std::string& seconds, const std::string& samples,
                   int64_t rate, double fallback) {
  const double length = section.real(seconds, fallback);
  const int64_t count = section.integer(samples, 0);
  return count > 0 ? 1000 * double(count) / double(rate) : 1000 * length;
}

void require_logarithm(YamlTable& section, FeatureConfig& features) {
  section.require("log", {"true", "True"});
  section.require("log_zero_guard_type", {"add"});
  if (!section.contains("log_zero_guard_value")) return;
  features.log_offset = section.real("log_zero_guard_value", features.log_offset);
}

void check_transform(YamlTable& section, const FeatureConfig& features) {
  const auto window =
      static_cast<int64_t>(0.001 * features.frame_length_ms * double(features.sample_rate));
  const int64_t size = transform_length(window);
  const int64_t given = section.integer("n_fft", size);
  if (given != size)
    section.fail(
        "n_fft",
        fmt::format("{} is not supported; {} is, for a window of {} samples", given, size, window),
        no_layer);
}

FeatureConfig read_features(YamlTable section, const std::string& file) {
  FeatureConfig features = nemo_features();
  const std::string target = section.text("_target_", "AudioToMelSpectrogramPreprocessor");
  if (last_name(target) != "AudioToMelSpectrogramPreprocessor" && section.text("cls", "").empty())
    read_target(section, "AudioToMelSpectrogramPreprocessor");
  features.sample_rate = section.integer("sample_rate", 16000);
  features.frame_length_ms =
      read_length(section, "window_size", "n_window_size", features.sample_rate, 0.02);
  features.frame_shift_ms =
      read_length(section, "window_stride", "n_window_stride", features.sample_rate, 0.01);
  features.window = section.choice<WindowShape>(
      "window", "hann", {{"hann", WindowShape::hanning}, {"hamming", WindowShape::hamming}});
  features.bins = section.integer("features", 64);
  features.low_frequency = section.real("lowfreq", 0);
  features.high_frequency = section.real("highfreq", 0);
  features.preemphasis = section.real("preemph", 0.97);
  features.normalisation =
      section.choice<FeatureNormalisation>("normalize", "NA",
                                           {{"per_feature", FeatureNormalisation::utterance},
                                            {"NA", FeatureNormalisation::none},
                                            {"", FeatureNormalisation::none}});
  require_logarithm(section, features);
  check_ranges(features, file);
  check_transform(section, features);
  section.require("frame_splicing", {"1"});
  section.require("exact_pad", {"false", "False"});
  section.require("mag_power", {"2.0", "2"});
  section.require("mel_norm", {"slaney"});
  section.require("use_torchaudio", {"false", "False"});
  // Of training, or of padding, which the model does not see.
  section.ignore({"dither", "pad_to", "pad_value", "rng", "nb_augmentation_prob", "nb_max_freq",
                  "stft_conv", "stft_exact_pad", "feat_type"});
  section.refuse_others();
  return features;
}

// ---- encoder ------------------------------------------------------------------------------------

void read_subsampling(YamlTable& section, ConformerConfig& encoder) {
  encoder.subsampling_kind =
      section.choice<SubsamplingKind>("subsampling", "striding",
                                      {{"dw_striding", SubsamplingKind::depthwise_striding},
                                       {"striding", SubsamplingKind::striding}});
  encoder.subsampling = section.integer("subsampling_factor", 4);
  if (encoder.subsampling != 4 && encoder.subsampling != 8)
    section.fail("subsampling_factor",
                 fmt::format("{} is not supported; 4, 8 are", encoder.subsampling), no_layer);
  const int64_t channels = section.integer("subsampling_conv_channels", -1);
  encoder.subsampling_channels = channels > 0 ? channels : encoder.width;
  encoder.causal_subsampling = section.boolean("causal_downsampling", false);
}

std::string context_text(const std::vector<std::vector<int64_t>>& contexts) {
  std::vector<std::string> texts;
  for (const auto& context : contexts) texts.push_back(fmt::format("{}", fmt::join(context, ",")));
  return fmt::format("{}", fmt::join(texts, "; "));
}

AttentionContext choose_context(YamlTable& section, const std::optional<AttentionContext>& wanted) {
  std::vector<std::vector<int64_t>> contexts = section.integer_lists("att_context_size");
  if (contexts.empty()) contexts = {{-1, -1}};
  for (const auto& context : contexts)
    if (context.size() != 2 || context[0] < -1 || context[1] < -1)
      section.fail("att_context_size", "pairs of frames (left, right) are wanted");
  if (!wanted) return {contexts[0][0], contexts[0][1]};
  for (const auto& context : contexts)
    if (context[0] == wanted->left && context[1] == wanted->right) return *wanted;
  section.fail(
      "att_context_size",
      fmt::format("the model was not trained with the context {},{}", wanted->left, wanted->right),
      "it was trained with: " + context_text(contexts));
}

void read_context(YamlTable& section, ConformerConfig& encoder,
                  const std::optional<AttentionContext>& wanted) {
  const auto [left, right] = choose_context(section, wanted);
  const bool chunks = section.choice<bool>("att_context_style", "regular",
                                           {{"regular", false}, {"chunked_limited", true}});
  if (right == -1 && left == -1) return;
  if (!chunks)
    section.fail("att_context_size",
                 fmt::format("{},{} is not supported with att_context_style regular", left, right),
                 "scion limits attention chunk by chunk only (chunked_limited)");
  if (right == -1)
    section.fail("att_context_size", fmt::format("{},{} is not supported", left, right), no_layer);
  encoder.chunk = right + 1;
  constexpr int64_t all = 100000;
  // Whole chunks: the rest of a left context that is no multiple is not seen.
  encoder.left_context = left == -1 ? all : left / encoder.chunk * encoder.chunk;
}

void read_convolution(YamlTable& section, ConformerConfig& encoder) {
  encoder.kernel = section.integer("conv_kernel_size", 31);
  encoder.convolution_norm = section.choice<ConvolutionNorm>(
      "conv_norm_type", "batch_norm",
      {{"batch_norm", ConvolutionNorm::batch}, {"layer_norm", ConvolutionNorm::layer}});
  const int64_t half = (encoder.kernel - 1) / 2;
  std::vector<std::vector<int64_t>> context;
  if (section.text("conv_context_style", "regular") != "regular")
    section.fail("conv_context_style", "only regular is supported", no_layer);
  if (section.is_text("conv_context_size")) {
    section.require("conv_context_size", {"causal"});
    context = {{encoder.kernel - 1, 0}};
  } else {
    context = section.integer_lists("conv_context_size");
  }
  if (context.empty() || context[0] == std::vector<int64_t>{half, half}) return;
  if (context[0] != std::vector<int64_t>{encoder.kernel - 1, 0})
    section.fail("conv_context_size",
                 fmt::format("{} is not supported; {},{} and {},0 are", context_text(context), half,
                             half, encoder.kernel - 1),
                 no_layer);
  encoder.convolution = ConvolutionKind::causal;
}

ConformerConfig read_encoder(YamlTable section, int64_t bins,
                             const std::optional<AttentionContext>& context) {
  ConformerConfig encoder;
  read_target(section, "ConformerEncoder");
  encoder.width = section.integer("d_model");
  encoder.layers = section.integer("n_layers");
  encoder.heads = section.integer("n_heads", 4);
  if (encoder.heads < 1 || encoder.width % encoder.heads != 0)
    section.fail("n_heads",
                 fmt::format("{} does not divide d_model, {}", encoder.heads, encoder.width));
  encoder.head_width = encoder.width / encoder.heads;
  encoder.feed_forward = encoder.width * section.integer("ff_expansion_factor", 4);
  encoder.biases = section.boolean("use_bias", true);
  encoder.input_scaling = section.boolean("xscaling", true);
  encoder.positions = RelativePositions::sinusoid;
  encoder.activation = Activation::swish;
  encoder.dropout = section.real("dropout", 0.1);
  if (section.integer("feat_in", bins) != bins)
    section.fail("feat_in", fmt::format("it differs from preprocessor.features, {}", bins));
  section.require("feat_out", {"-1", std::to_string(encoder.width)});
  section.require("self_attention_model", {"rel_pos"});
  section.require("reduction", {});
  section.require("reduction_factor", {"1"});
  section.require("global_tokens", {"0"});
  section.require("conv_dual_mode", {"false", "False"});
  read_subsampling(section, encoder);
  read_context(section, encoder, context);
  read_convolution(section, encoder);
  // Of training, of memory, or without effect beside the values above.
  section.ignore({"untie_biases", "pos_emb_max_len", "dropout_pre_encoder", "dropout_emb",
                  "dropout_att", "stochastic_depth_drop_prob", "stochastic_depth_mode",
                  "stochastic_depth_start_layer", "att_context_probs", "reduction_position",
                  "subsampling_conv_chunking_factor", "global_tokens_spacing",
                  "global_attn_separate", "use_pytorch_sdpa", "use_pytorch_sdpa_backends",
                  "sync_max_audio_length", "adapter", "adapters"});
  section.refuse_others();
  return encoder;
}

// ---- predictor, joiner --------------------------------------------------------------------------

void read_predictor(YamlTable section, NemoConfig& config) {
  read_target(section, "RNNTDecoder");
  section.require("normalization_mode", {""});
  YamlTable net = section.table("prednet");
  config.model.predictor = PredictorKind::lstm;
  config.model.predictor_width = net.integer("pred_hidden");
  config.model.predictor_layers = net.integer("pred_rnn_layers", 1);
  net.require("rnn_hidden_size", {"-1", std::to_string(config.model.predictor_width)});
  net.ignore(
      {"t_max", "dropout", "forget_gate_bias", "weights_init_scale", "hidden_hidden_bias_scale"});
  net.refuse_others();
  config.labels = section.integer("vocab_size", 0);
  section.ignore({"random_state_sampling", "blank_as_pad"});
  section.refuse_others();
}

// Of a TDT model; NeMo's own decoding reads them here.
std::vector<int64_t> read_durations(YamlTable& root) {
  YamlTable decoding = root.table("decoding");
  decoding.require("model_type", {"rnnt", "tdt"});
  const auto durations = decoding.integer_lists("durations");
  if (!durations.empty()) return durations[0];
  const auto defaults = root.table("model_defaults").integer_lists("tdt_durations");
  return defaults.empty() ? std::vector<int64_t>() : defaults[0];
}

void read_joiner(YamlTable section, NemoConfig& config) {
  read_target(section, "RNNTJoint");
  const int64_t more = section.integer("num_extra_outputs", 0);
  if (more != static_cast<int64_t>(config.model.durations.size()))
    section.fail("num_extra_outputs",
                 fmt::format("{} outputs more than labels, and {} durations", more,
                             config.model.durations.size()),
                 "scion imports RNN-T and TDT models, and no multi-blank ones");
  YamlTable net = section.table("jointnet");
  config.model.joiner_width = net.integer("joint_hidden");
  config.model.joiner_activation = net.choice<JoinerActivation>(
      "activation", "relu", {{"relu", JoinerActivation::relu}, {"tanh", JoinerActivation::tanh}});
  net.ignore({"dropout", "encoder_hidden", "pred_hidden"});
  net.refuse_others();
  const int64_t classes = section.integer("num_classes", config.labels);
  if (config.labels < 1) config.labels = classes;
  if (classes > 0 && classes != config.labels)
    section.fail("num_classes",
                 fmt::format("{}, and decoder.vocab_size is {}", classes, config.labels));
  if (section.contains("vocabulary")) config.characters = section.texts("vocabulary");
  section.ignore({"vocabulary", "log_softmax", "preserve_memory", "fuse_loss_wer",
                  "fused_batch_size", "experimental_fuse_loss_wer", "masking_prob"});
  section.refuse_others();
}

// ---- the whole ----------------------------------------------------------------------------------

struct NemoKind {
  const char* name;
  bool pieces, ctc;
};
constexpr std::array<NemoKind, 4> nemo_kinds = {{{"EncDecRNNTModel", false, false},
                                                 {"EncDecRNNTBPEModel", true, false},
                                                 {"EncDecHybridRNNTCTCModel", false, true},
                                                 {"EncDecHybridRNNTCTCBPEModel", true, true}}};

NemoKind read_kind(YamlTable& root) {
  const std::string name = last_name(root.text("target", ""));
  std::vector<std::string> names;
  for (const NemoKind& kind : nemo_kinds) {
    if (name == kind.name) return kind;
    names.emplace_back(kind.name);
  }
  root.fail("target", fmt::format("a model of the kind '{}' cannot be imported", name),
            fmt::format("scion imports {}", fmt::join(names, ", ")));
}

void read_tokenizer(YamlTable section, NemoConfig& config) {
  const std::string type = section.text("type", "bpe");
  if (type != "bpe")
    section.fail("type", fmt::format("a tokenizer of the type '{}' cannot be imported", type),
                 "scion imports SentencePiece models (type bpe)");
  config.tokenizer_file = section.text("model_path", "");
  if (config.tokenizer_file.starts_with("nemo:"))
    config.tokenizer_file = config.tokenizer_file.substr(5);
}

void note_dropped(YamlTable& root, NemoConfig& config) {
  if (config.model.ctc) {
    YamlTable decoder = root.table("aux_ctc").table("decoder");
    read_target(decoder, "ConvASRDecoder");
  }
  config.notes.emplace_back(
      "dropout of the predictor, the joiner and of single places of the encoder belongs to "
      "training and is left out");
}

}  // namespace

NemoConfig read_nemo_config(const std::string& yaml, const std::string& file,
                            const std::optional<AttentionContext>& context) {
  YamlTable root = YamlTable::parse(yaml, file);
  const NemoKind kind = read_kind(root);
  NemoConfig config;
  config.kind = kind.name;
  config.version = root.text("nemo_version", "");
  config.model.ctc = kind.ctc;
  config.model.features = read_features(root.table("preprocessor"), file);
  config.model.conformer = read_encoder(root.table("encoder"), config.model.features.bins, context);
  read_predictor(root.table("decoder"), config);
  config.model.durations = read_durations(root);
  read_joiner(root.table("joint"), config);
  if (config.characters.empty() && root.contains("labels"))
    config.characters = root.texts("labels");
  if (config.labels < 1) config.labels = static_cast<int64_t>(config.characters.size());
  if (kind.pieces) {
    config.characters.clear();
    read_tokenizer(root.table("tokenizer"), config);
  }
  note_dropped(root, config);
  check_ranges(config.model, file);
  return config;
}

}  // namespace scion
