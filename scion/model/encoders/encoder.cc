#include "scion/model/encoders/encoder.h"

#include "scion/model/encoders/conformer.h"
#include "scion/model/encoders/lstm_encoder.h"

namespace scion {

std::unique_ptr<Encoder> make_encoder(const Scope& scope, const ModelConfig& config) {
  const int64_t columns = config.features.columns();
  if (config.encoder == "lstm") return std::make_unique<LstmEncoder>(scope, config.lstm, columns);
  return std::make_unique<ConformerEncoder>(scope, config.conformer, columns);
}

}  // namespace scion
