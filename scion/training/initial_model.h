// The model that a run starts from: a model file, or random weights.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "scion/data/dataset.h"
#include "scion/model/model_file.h"
#include "scion/model/provenance.h"
#include "scion/text/tokenizer.h"
#include "scion/training/config/run_config.h"

namespace scion {

class InitialModel {
 public:
  /// Reads the model file where train.init names one.
  explicit InitialModel(const RunConfig& config);

  /// The tokenizer of data.tokenizer, else the model file's, else one trained on the training data.
  /// UserError naming the first piece in which data.tokenizer differs from the model file's.
  Tokenizer find_tokenizer() const;

  /// Called once. Random models get their normalisation from `data`. UserError when the file's
  /// model has another configuration than [model].
  std::unique_ptr<Transducer> make(const Dataset& data);

  /// Names of the parameters of a model file's model that were copied from another one.
  const std::set<std::string>& copied() const { return copied_; }
  /// The provenance of a model that was trained from this one.
  Provenance as_start_of(const Provenance::Trained& trained) const;

 private:
  void require_pieces_of_start(const Tokenizer& tokenizer) const;

  const RunConfig& config_;
  ModelFile file_;
  std::set<std::string> copied_;
};

}  // namespace scion
