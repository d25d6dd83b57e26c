#include "scion/model/model_file.h"

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/files/safetensors.h"
#include "scion/core/options.h"
#include "scion/core/tensor_text.h"
#include "scion/text/tokenizer.h"

namespace scion {
namespace {

constexpr const char* tokenizer_name = "tokenizer.model";

// Outputs are pieces: one for each.
void check_vocabulary(int64_t outputs, const std::string& tokenizer, const std::string& file) {
  const int64_t pieces = Tokenizer(tokenizer, file + ": its tokenizer").size();
  if (pieces == outputs) return;
  throw UserError(
      fmt::format("{}: the model has {} outputs and its tokenizer {} pieces", file, outputs,
                  pieces),
      "model and tokenizer do not belong together: train with the model's own tokenizer "
      "(data.tokenizer = \"\"), or select the model anew with --tokenizer");
}

}  // namespace

SafeTensors pack_model(const Transducer& model, const std::string& tokenizer,
                       const Provenance& provenance) {
  check_vocabulary(model.vocabulary(), tokenizer, "the model to save");
  SafeTensors content;
  std::vector<at::Tensor> tensors;
  for (const Parameter& parameter : model.registry().all()) tensors.push_back(parameter.tensor);
  tensors = download(tensors);
  size_t next = 0;
  for (const Parameter& parameter : model.registry().all())
    content.tensors.emplace_back(parameter.name, tensors[next++]);
  at::Tensor bytes = at::empty({static_cast<int64_t>(tokenizer.size())}, at::kByte);
  std::copy(tokenizer.begin(), tokenizer.end(), bytes.data_ptr<uint8_t>());
  content.tensors.emplace_back(tokenizer_name, bytes);
  content.metadata["format"] = "scion-transducer-1";
  content.metadata["model"] = options_json(model.config()).dump();
  content.metadata["vocabulary"] = std::to_string(model.vocabulary());
  content.metadata["provenance"] = provenance.to_json().dump();
  return content;
}

void save_model(const std::filesystem::path& path, const Transducer& model,
                const std::string& tokenizer, const Provenance& provenance) {
  write_safetensors(path, pack_model(model, tokenizer, provenance));
}

void load_weights(const SafeTensors& content, Transducer& model, const std::string& file) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : model.registry().all()) {
    if (!content.contains(parameter.name))
      throw UserError(fmt::format("{}: tensor '{}' is missing", file, parameter.name),
                      "the file does not match this configuration; recreate it");
    const at::Tensor& stored = content.at(parameter.name);
    if (stored.sizes() != parameter.tensor.sizes())
      throw UserError(fmt::format("{}: tensor '{}' has shape {}, the configuration gives {}", file,
                                  parameter.name, shape_text(stored), shape_text(parameter.tensor)),
                      "the file does not match this configuration; recreate it");
    parameter.tensor.copy_(stored);
  }
}

std::string packed_tokenizer(const SafeTensors& content) {
  const at::Tensor& bytes = content.at(tokenizer_name);
  return {reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()),
          static_cast<size_t>(bytes.numel())};
}

ModelFile load_model(const std::filesystem::path& path) {
  const SafeTensors content = read_safetensors(path);
  const auto format = content.metadata.find("format");
  if (format == content.metadata.end() || format->second != "scion-transducer-1" ||
      !content.contains(tokenizer_name))
    throw UserError(fmt::format("{}: not a scion model", path.string()),
                    "give a model.safetensors written by scion train or scion select");
  ModelConfig config;
  Options options;
  config.declare(options);
  ModelFile file;
  file.path = path;
  try {
    options.load_json(nlohmann::json::parse(content.metadata.at("model")), path.string());
    file.model =
        std::make_unique<Transducer>(config, std::stoll(content.metadata.at("vocabulary")));
    file.provenance = Provenance::from_json(
        nlohmann::json::parse(content.metadata.at("provenance")), path.string() + ": provenance");
  } catch (const std::logic_error& error) {  // absent keys, broken numbers
    throw UserError(fmt::format("{}: broken metadata: {}", path.string(), error.what()),
                    "copy the file again or recreate it");
  } catch (const nlohmann::json::exception& error) {
    throw UserError(fmt::format("{}: broken metadata: {}", path.string(), error.what()),
                    "copy the file again or recreate it");
  }
  load_weights(content, *file.model, path.string());
  file.tokenizer = packed_tokenizer(content);
  check_vocabulary(file.model->vocabulary(), file.tokenizer, path.string());
  return file;
}

}  // namespace scion
