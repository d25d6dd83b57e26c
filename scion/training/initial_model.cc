#include "scion/training/initial_model.h"

#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/data/train_tokenizer.h"
#include "scion/nn/initialise.h"

namespace scion {

InitialModel::InitialModel(const RunConfig& config)
    : config_(config),
      file_(is_random_scheme(config.train.init) ? ModelFile{} : load_model(config.train.init)) {}

Tokenizer InitialModel::find_tokenizer() const {
  const std::string& path = config_.data.tokenizer;
  if (path.empty()) {
    if (file_.model) return Tokenizer(file_.tokenizer);
    return train_tokenizer(config_.data.train, config_.model.text, config_.tokenizer);
  }
  Tokenizer tokenizer = Tokenizer::load(path);
  if (file_.model) require_pieces_of_start(tokenizer);
  if (!tokenizer.normaliser().empty())
    log_info("the tokenizer {} normalises text by {} before it cuts it", path,
             tokenizer.normaliser());
  return tokenizer;
}

void InitialModel::require_pieces_of_start(const Tokenizer& tokenizer) const {
  const std::string difference =
      piece_difference(Tokenizer(file_.tokenizer), "the model", tokenizer, config_.data.tokenizer);
  if (difference.empty()) return;
  throw UserError(
      fmt::format("{} and data.tokenizer do not belong together: {}", config_.train.init,
                  difference),
      "--data.tokenizer \"\" takes the model's own tokenizer; for other pieces, 'scion select "
      "--tokenizer' makes a model that has them");
}

std::unique_ptr<Transducer> InitialModel::make(const Dataset& data) {
  if (file_.model) {
    const nlohmann::json given = options_json(file_.model->config());
    const nlohmann::json asked = options_json(config_.model);
    if (given != asked)
      throw UserError(fmt::format("{} is a model of another configuration: {}", config_.train.init,
                                  nlohmann::json::diff(given, asked).dump()),
                      "set [model] to what 'scion inspect' prints for the file");
    copied_ = copied_parameters(file_.model->registry(), file_.provenance);
    return std::move(file_.model);
  }
  auto model = std::make_unique<Transducer>(config_.model, data.tokenizer().size());
  initialise(model->registry(), config_.train.init, static_cast<uint64_t>(config_.train.seed));
  model->set_normalisation(data.global_statistics());
  return model;
}

Provenance InitialModel::as_start_of(const Provenance::Trained& trained) const {
  Provenance provenance{.trained = trained};
  if (file_.provenance.empty())
    provenance.start_name = config_.train.init;
  else
    provenance.start = std::make_shared<const Provenance>(file_.provenance);
  return provenance;
}

}  // namespace scion
