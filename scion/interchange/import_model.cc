#include "scion/interchange/import_model.h"

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/tar.h"
#include "scion/interchange/foreign_tokenizer.h"
#include "scion/interchange/nemo_weights.h"
#include "scion/interchange/torch_file.h"
#include "scion/text/tokenizer.h"

namespace scion {
namespace {

/// The files of a .nemo archive, without the folder "./".
struct NemoArchive {
  std::string config, weights;
  std::map<std::string, std::string> others;
};

NemoArchive read_archive(const std::filesystem::path& path) {
  constexpr uint64_t any = ~uint64_t{0};
  NemoArchive archive;
  for (TarReader reader(path); reader.next();) {
    const std::string name =
        reader.name().starts_with("./") ? reader.name().substr(2) : reader.name();
    if (name == "model_config.yaml")
      archive.config = reader.text(any);
    else if (name == "model_weights.ckpt")
      archive.weights = reader.text(any);
    else
      archive.others[name] = reader.text(any);
  }
  for (const auto& [text, name] : {std::pair(&archive.config, "model_config.yaml"),
                                   std::pair(&archive.weights, "model_weights.ckpt")})
    if (text->empty())
      throw UserError(fmt::format("{}: it has no {}", path.string(), name),
                      "give the .nemo file of a model that NeMo saved");
  return archive;
}

std::string own_tokenizer(const NemoArchive& archive, const NemoConfig& config,
                          const std::string& path) {
  const auto named = archive.others.find(config.tokenizer_file);
  if (named != archive.others.end()) return named->second;
  std::vector<const std::string*> models;
  for (const auto& [name, content] : archive.others)
    if (name.ends_with("tokenizer.model")) models.push_back(&content);
  if (models.size() == 1) return *models[0];
  throw UserError(fmt::format("{}: it has no tokenizer '{}'", path, config.tokenizer_file),
                  "give the SentencePiece model with --tokenizer");
}

// Pieces for the labels, with the blank before them.
Tokenizer make_tokenizer(const std::string& serialised, const NemoConfig& config,
                         const std::string& name) {
  Tokenizer with_blank(with_blank_first(serialised), name);
  if (with_blank.size() == config.labels + 1) return with_blank;
  if (with_blank.size() == config.labels + 2) {  // its own first piece is a blank already
    Tokenizer own(serialised, name);
    if (own.piece(0) == "<blk>") return own;
  }
  throw UserError(fmt::format("{}: {} pieces, and the model has {} labels and the blank", name,
                              with_blank.size() - 1, config.labels),
                  "give the tokenizer that the model was trained with");
}

Tokenizer read_tokenizer_of(const NemoArchive& archive, const NemoConfig& config,
                            const std::filesystem::path& path, const ImportOptions& options) {
  if (!options.tokenizer.empty())
    return make_tokenizer(read_file(options.tokenizer), config, options.tokenizer.string());
  if (config.characters.empty())
    return make_tokenizer(own_tokenizer(archive, config, path.string()), config,
                          path.string() + ": its tokenizer");
  if (static_cast<int64_t>(config.characters.size()) != config.labels)
    throw UserError(fmt::format("{}: {} labels are listed, and the model has {}", path.string(),
                                config.characters.size(), config.labels),
                    "copy or download the file again");
  return Tokenizer(character_tokenizer(config.characters), path.string() + ": its labels");
}

}  // namespace

ImportedModel import_model(const std::filesystem::path& path, const ImportOptions& options) {
  const NemoArchive archive = read_archive(path);
  const NemoConfig config =
      read_nemo_config(archive.config, path.string() + ": model_config.yaml", options.context);
  const Tokenizer tokenizer = read_tokenizer_of(archive, config, path, options);
  const std::string weights = path.string() + ": model_weights.ckpt";
  const PickledValues values = parse_torch_file(archive.weights, weights);
  // Before memory is taken: a number has two bytes at least.
  const int64_t parameters = parameter_count(config.model, config.labels + 1);
  if (parameters > static_cast<int64_t>(archive.weights.size() / 2))
    throw UserError(fmt::format("{}: {} bytes, and the configuration has {} parameters", weights,
                                archive.weights.size(), parameters),
                    "the weights belong to another configuration");
  ImportedModel imported{.file = {}, .notes = config.notes};
  imported.file.model = std::make_unique<Transducer>(config.model, config.labels + 1);
  copy_nemo_weights(tensors_of(*values.root, weights), *imported.file.model, weights);
  imported.file.tokenizer = tokenizer.serialised();
  imported.file.provenance.imported = Provenance::Imported{.toolkit = "NeMo",
                                                           .version = config.version,
                                                           .kind = config.kind,
                                                           .file = path.filename().string(),
                                                           .checksum = file_checksum(path),
                                                           .other = {}};
  imported.file.path = path;
  return imported;
}

}  // namespace scion
