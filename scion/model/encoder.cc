#include "scion/model/encoder.h"

#include "scion/model/conformer.h"
#include "scion/model/lstm_encoder.h"

namespace scion {

std::unique_ptr<Encoder> make_encoder(const Scope& scope, const ModelConfig& config) {
  const int64_t columns = config.features.columns();
  if (config.encoder == "lstm") return std::make_unique<LstmEncoder>(scope, config.lstm, columns);
  return std::make_unique<ConformerEncoder>(scope, config.conformer, columns);
}

}  // namespace scion
