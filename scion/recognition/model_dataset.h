// A manifest as a model takes it.
#pragma once

#include <filesystem>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/model_file.h"

namespace scion {

/// The manifests' usable utterances as the file's model hears and writes them: with its features,
/// its pieces and its normalisation of texts, at their own speed. Nothing is cached. UserErrors as
/// of Dataset's constructor.
Dataset dataset_for(const ModelFile& file, const std::vector<std::filesystem::path>& manifests);

}  // namespace scion
