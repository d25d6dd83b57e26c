#include "scion/recognition/model_dataset.h"

namespace scion {

Dataset dataset_for(const ModelFile& file, const std::vector<std::filesystem::path>& manifests,
                    DataPurpose purpose, double skip_share) {
  const ModelConfig& model = file.model->config();
  return Dataset(manifests, model.features, Tokenizer(file.tokenizer), "", {1.0}, model.text,
                 DataCheck::decode, purpose, skip_share);
}

}  // namespace scion
