// Manifests as data of a given model.
#pragma once

#include <filesystem>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/model_file.h"

namespace scion {

/// The usable utterances, with the features, text normalisation and tokenizer of the given model,
/// at speed 1. Nothing is cached. `skip_share` of those of a manifest need not be usable.
/// UserErrors as of Dataset's constructor.
Dataset dataset_for(const ModelFile& file, const std::vector<std::filesystem::path>& manifests,
                    DataPurpose purpose, double skip_share = default_skip_share);

}  // namespace scion
