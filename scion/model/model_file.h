// The model file: one .safetensors, complete in itself.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "scion/core/files/safetensors.h"
#include "scion/model/provenance.h"
#include "scion/model/transducer.h"

namespace scion {

/// A recogniser as it is kept in a file.
struct ModelFile {
  std::unique_ptr<Transducer> model;
  std::string tokenizer;  ///< serialised SentencePiece model
  Provenance provenance;
  std::filesystem::path path;  ///< of the file it was loaded from
};

/// Weights and buffers under their names, the tokenizer as the U8 tensor "tokenizer.model", the
/// configuration and the provenance as metadata. UserError when the tokenizer has not a piece for
/// each of the model's outputs.
SafeTensors pack_model(const Transducer& model, const std::string& tokenizer,
                       const Provenance& provenance);
void save_model(const std::filesystem::path& path, const Transducer& model,
                const std::string& tokenizer, const Provenance& provenance);

/// UserError when the file is no model, misses a tensor, one has another shape, or the tokenizer
/// has not a piece for each of the model's outputs.
ModelFile load_model(const std::filesystem::path& path);
/// The serialised tokenizer that pack_model() put beside the weights; UserError when there is none.
std::string packed_tokenizer(const SafeTensors& content);
/// Copies a file's tensors into a model of the same configuration.
void load_weights(const SafeTensors& content, Transducer& model, const std::string& file);

}  // namespace scion
