// The content of what a run depends on: kept in its checkpoints, compared when it continues.
#pragma once

#include <map>
#include <string>

#include "scion/core/files/safetensors.h"
#include "scion/data/manifest/listed_utterances.h"
#include "scion/training/config/run_config.h"

namespace scion {

struct RunInputs {
  ListedUtterances training;
  std::map<std::string, std::string> evaluation;  ///< checksum of each set's utterances, by name
  std::map<std::string, std::string> files;       ///< checksum of each path option's files, by key

  SafeTensors pack() const;
  static RunInputs unpack(const SafeTensors& content);
};

/// Reads the manifests and the files that the configuration names: the model file of train.init,
/// the teacher, names and sizes of the noises and responses.
RunInputs inputs_of(const RunConfig& config);

/// UserError naming what has changed: the training manifests' utterances, with counts, unless
/// train.allow_changed_data is set, or another file that the run learns from. Changed evaluation
/// sets are logged.
void require_same_inputs(const RunInputs& before, const RunInputs& now, const RunConfig& config);

}  // namespace scion
