#include "scion/training/averaging.h"

#include "scion/core/files/safetensors.h"
#include "scion/model/model_file.h"

namespace scion {

void EpochAverage::keep(int64_t epoch, const Transducer& model, const Tokenizer& tokenizer) const {
  if (!averages() || epoch <= epochs_ - count_) return;
  std::filesystem::create_directories(files_.epochs());
  save_model(files_.epoch_weights(epoch), model, tokenizer.serialised(), {});
}

void EpochAverage::apply_to(Transducer& model) const {
  const at::NoGradGuard no_grad;
  std::vector<SafeTensors> files;
  for (int64_t i = 0; i < count_; ++i)
    files.push_back(read_safetensors(files_.epoch_weights(epochs_ - i)));
  for (const Parameter& parameter : model.registry().all()) {
    at::Tensor sum = at::zeros_like(files[0].at(parameter.name), at::kDouble);
    for (const SafeTensors& file : files) sum += file.at(parameter.name);
    parameter.tensor.copy_(sum / static_cast<double>(count_));
  }
}

}  // namespace scion
