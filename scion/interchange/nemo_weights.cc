#include "scion/interchange/nemo_weights.h"

#include <regex>
#include <set>

#include "scion/core/error.h"
#include "scion/core/tensor_text.h"

namespace scion {
namespace {

/// Rows that follow the labels and the blank in NeMo's joiner, under a name of their own.
constexpr const char* durations_place = "joint.durations.";

/// The NeMo tensors that make up one parameter: stacked along their first dimension, or summed.
struct NemoSource {
  std::vector<std::string> names;
  bool sum = false;
};

const std::map<std::string, std::vector<std::string>>& layer_names() {
  static const std::map<std::string, std::vector<std::string>> names = {
      {"attention.in.", {"self_attn.linear_q.", "self_attn.linear_k.", "self_attn.linear_v."}},
      {"attention.norm.", {"norm_self_att."}},
      {"attention.out.", {"self_attn.linear_out."}},
      {"attention.position.", {"self_attn.linear_pos."}},
      {"attention.content_offset", {"self_attn.pos_bias_u"}},
      {"attention.position_offset", {"self_attn.pos_bias_v"}},
      {"convolution.norm.", {"norm_conv."}},
      {"convolution.pointwise1.", {"conv.pointwise_conv1."}},
      {"convolution.depthwise.", {"conv.depthwise_conv."}},
      {"convolution.convolution_norm.running_variance", {"conv.batch_norm.running_var"}},
      {"convolution.convolution_norm.", {"conv.batch_norm."}},
      {"convolution.pointwise2.", {"conv.pointwise_conv2."}},
      {"feed_forward1.norm.", {"norm_feed_forward1."}},
      {"feed_forward1.", {"feed_forward1."}},
      {"feed_forward2.norm.", {"norm_feed_forward2."}},
      {"feed_forward2.", {"feed_forward2."}},
      {"norm.", {"norm_out."}}};
  return names;
}

/// The names of the longest prefix of `name` in the table, with the rest of `name`.
std::vector<std::string> renamed(const std::string& name,
                                 const std::map<std::string, std::vector<std::string>>& table) {
  const std::string* longest = nullptr;
  for (const auto& [prefix, others] : table)
    if (name.starts_with(prefix) && (longest == nullptr || prefix.size() > longest->size()))
      longest = &prefix;
  if (longest == nullptr) return {};
  std::vector<std::string> names = table.at(*longest);
  for (std::string& other : names) other += name.substr(longest->size());
  return names;
}

/// The places of strided convolutions in NeMo's list, which counts activations, too.
std::map<std::string, std::vector<std::string>> model_names(const ConformerConfig& encoder,
                                                            const std::string& joiner_output) {
  const std::string convolution = "encoder.pre_encode.conv.", ours = "encoder.subsampling.";
  std::map<std::string, std::vector<std::string>> names = {
      {ours + "convolution1.", {convolution + "0."}},
      {ours + "projection.", {"encoder.pre_encode.out."}},
      {"predictor.embedding", {"decoder.prediction.embed.weight"}},
      {"joiner.encoder_projection.", {"joint.enc."}},
      {"joiner.predictor_projection.", {"joint.pred."}},
      {"joiner.output.", {joiner_output}},
      {"joiner.durations.", {durations_place}},
      {"ctc.", {"ctc_decoder.decoder_layers.0."}}};
  int place = 2;
  for (int number = 2; 1 << number <= encoder.subsampling; ++number) {
    if (encoder.subsampling_kind == SubsamplingKind::striding) {
      names[fmt::format("{}convolution{}.", ours, number)] = {
          fmt::format("{}{}.", convolution, place)};
      place += 2;
    } else {
      names[fmt::format("{}depthwise{}.", ours, number)] = {
          fmt::format("{}{}.", convolution, place)};
      names[fmt::format("{}pointwise{}.", ours, number)] = {
          fmt::format("{}{}.", convolution, place + 1)};
      place += 3;
    }
  }
  return names;
}

NemoSource lstm_source(const std::string& name) {
  static const std::regex pattern(
      R"(predictor\.layers\.(\d+)\.(input\.weight|hidden\.weight|bias))");
  std::smatch match;
  if (!std::regex_match(name, match, pattern)) return {};
  const std::string place = "decoder.prediction.dec_rnn.lstm.", layer = "_l" + match[1].str();
  if (match[2] == "input.weight") return {{place + "weight_ih" + layer}};
  if (match[2] == "hidden.weight") return {{place + "weight_hh" + layer}};
  return {{place + "bias_ih" + layer, place + "bias_hh" + layer}, true};
}

bool has_no_source(const std::string& name) {
  return name.starts_with("features.") || name == "encoder.frequencies";
}

class NemoCopy {
 public:
  NemoCopy(NamedTensors nemo, const Transducer& model, std::string file)
      : nemo_(std::move(nemo)), model_(model), file_(std::move(file)) {
    // It follows the activation, and a dropout where the rate is not 0.
    const std::string output =
        nemo_.contains("joint.joint_net.1.weight") ? "joint.joint_net.1." : "joint.joint_net.2.";
    names_ = model_names(model.config().conformer, output);
    split_durations(output);
  }

  void copy(const Parameter& parameter) {
    if (has_no_source(parameter.name)) return;
    const NemoSource source = source_of(parameter.name);
    // A bias that the model does not have is zero.
    if (!parameter.trainable && parameter.name.ends_with(".bias") &&
        !nemo_.contains(source.names[0]))
      return;
    std::vector<at::Tensor> parts;
    for (const std::string& name : source.names) parts.push_back(take(name));
    at::Tensor value = join(source, parts);
    if (parameter.axes[0].form() == Axis::Form::labels) value = blank_first(parameter, value);
    check_shape(parameter, source.names[0], value);
    parameter.tensor.copy_(value.reshape(parameter.tensor.sizes()));
  }

  /// UserError when a tensor has not been copied.
  void refuse_others() const {
    static const std::regex known(
        R"(preprocessor\..*|.*\.num_batches_tracked|encoder\.pos_enc\.pe|encoder\.pos_bias_[uv]|(ctc_)?(loss|wer)\..*|spec_augmentation\..*)");
    for (const auto& [name, tensor] : nemo_)
      if (!taken_.contains(name) && !std::regex_match(name, known))
        throw UserError(
            fmt::format("{}: its configuration has no place for the tensor '{}' {}", file_, name,
                        shape_text(tensor)),
            "the weights belong to another configuration, or to a layer that scion does not have");
  }

 private:
  void split_durations(const std::string& output) {
    const auto durations = static_cast<int64_t>(model_.config().durations.size());
    for (const char* part : {"weight", "bias"}) {
      const auto found = nemo_.find(output + part);
      if (durations == 0 || found == nemo_.end() || found->second.dim() == 0 ||
          found->second.size(0) != model_.vocabulary() + durations)
        continue;  // refused where it is taken
      nemo_[std::string(durations_place) + part] = found->second.slice(0, model_.vocabulary());
      found->second = found->second.slice(0, 0, model_.vocabulary());
    }
  }

  NemoSource source_of(const std::string& name) const {
    static const std::regex layer(R"(encoder\.layers\.\d+\.)");
    NemoSource source = lstm_source(name);
    if (!source.names.empty()) return source;
    std::smatch match;
    if (std::regex_search(name, match, layer, std::regex_constants::match_continuous)) {
      source.names = renamed(match.suffix(), layer_names());
      for (std::string& each : source.names) each.insert(0, match.str());
    } else {
      source.names = renamed(name, names_);
    }
    TORCH_CHECK(!source.names.empty(), "no source of ", name);
    return source;
  }

  const at::Tensor& take(const std::string& name) {
    std::string found = name;
    // With untie_biases = false all layers share the encoder's.
    static const std::regex tied(R"(encoder\.layers\.\d+\.self_attn\.(pos_bias_[uv]))");
    std::smatch match;
    if (!nemo_.contains(name) && std::regex_match(name, match, tied))
      found = "encoder." + match[1].str();
    const auto tensor = nemo_.find(found);
    if (tensor == nemo_.end())
      throw UserError(fmt::format("{}: the tensor '{}' is missing", file_, name),
                      "the weights belong to another configuration");
    taken_.insert(found);
    if (!tensor->second.is_floating_point())
      throw UserError(fmt::format("{}: the tensor '{}' has no floating-point numbers", file_, name),
                      "copy or download the file again");
    return tensor->second;
  }

  at::Tensor join(const NemoSource& source, const std::vector<at::Tensor>& parts) const {
    if (parts.size() == 1) return parts[0];
    for (size_t i = 1; i < parts.size(); ++i)
      if (parts[i].sizes() != parts[0].sizes())
        throw UserError(fmt::format("{}: '{}' has shape {}, '{}' {}", file_, source.names[0],
                                    shape_text(parts[0]), source.names[i], shape_text(parts[i])),
                        "the weights belong to another configuration");
    return source.sum ? parts[0] + parts[1] : at::cat(parts);
  }

  // Without blank_as_pad NeMo has no row for the blank, and feeds zeros in its place.
  at::Tensor blank_first(const Parameter& parameter, const at::Tensor& value) const {
    const bool lacks_blank = parameter.name == "predictor.embedding" && value.dim() == 2 &&
                             value.size(0) == model_.vocabulary() - 1;
    if (lacks_blank) return at::constant_pad_nd(value, {0, 0, 1, 0});
    return value.dim() == 0 ? value : at::roll(value, 1, 0);
  }

  // Dimensions of size 1 may be left out, and (H, d) may be H · d.
  void check_shape(const Parameter& parameter, const std::string& name,
                   const at::Tensor& value) const {
    const auto without_ones = [](at::IntArrayRef sizes) {
      std::vector<int64_t> kept;
      for (const int64_t size : sizes)
        if (size != 1) kept.push_back(size);
      return kept;
    };
    const bool offset = parameter.name.ends_with("_offset");
    const bool fits = offset
                          ? value.numel() == parameter.tensor.numel()
                          : without_ones(value.sizes()) == without_ones(parameter.tensor.sizes());
    if (!fits)
      throw UserError(
          fmt::format("{}: '{}' ({}) has shape {}, the configuration gives {}", file_, name,
                      parameter.name, shape_text(value), shape_text(parameter.tensor)),
          "the weights belong to another configuration");
  }

  NamedTensors nemo_;
  const Transducer& model_;
  std::string file_;
  std::map<std::string, std::vector<std::string>> names_;
  std::set<std::string> taken_;
};

}  // namespace

void copy_nemo_weights(const NamedTensors& nemo, Transducer& model, const std::string& file) {
  const at::NoGradGuard no_grad;
  NemoCopy copy(nemo, model, file);
  for (const Parameter& parameter : model.registry().all()) copy.copy(parameter);
  copy.refuse_others();
}

}  // namespace scion
