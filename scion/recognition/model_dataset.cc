#include "scion/recognition/model_dataset.h"

namespace scion {

Dataset dataset_for(const ModelFile& file, const std::vector<std::filesystem::path>& manifests,
                    DataPurpose purpose) {
  const ModelConfig& model = file.model->config();
  return {manifests, model.features, Tokenizer(file.tokenizer), "",
          {1.0},     model.text,     DataCheck::decode,         purpose};
}

}  // namespace scion
