// Trains a tokenizer on the texts as they are used later: normalised.
#pragma once

#include <string>
#include <vector>

#include "scion/data/manifest/manifest.h"
#include "scion/text/normalisation.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// The utterances' texts must be normalised already.
Tokenizer train_tokenizer(const std::vector<Utterance>& utterances, const TokenizerConfig& config);

/// Reads the manifests and normalises every text as `text` says.
Tokenizer train_tokenizer(const std::vector<std::string>& manifests,
                          const NormalisationConfig& text, const TokenizerConfig& config);

}  // namespace scion
