#include "scion/study/tuning.h"

#include "scion/core/error.h"
#include "scion/core/files/file.h"

namespace scion {

std::optional<double> Tuning::best(const std::string& arm, const std::string& budget) const {
  const TuningTrial* best = nullptr;
  for (const TuningTrial& trial : trials) {
    if (trial.arm != arm || trial.budget != budget) continue;
    if (best == nullptr || trial.dev_wer < best->dev_wer ||
        (trial.dev_wer == best->dev_wer && trial.peak_lr < best->peak_lr))
      best = &trial;
  }
  return best == nullptr ? std::nullopt : std::optional<double>(best->peak_lr);
}

std::string Tuning::to_json() const {
  nlohmann::json json = {{"trials", nlohmann::json::array()}};
  for (const TuningTrial& trial : trials)
    json["trials"].push_back({{"arm", trial.arm},
                              {"budget", trial.budget},
                              {"peak_lr", trial.peak_lr},
                              {"dev_wer", trial.dev_wer}});
  return json.dump(1) + "\n";
}

Tuning read_tuning(const std::filesystem::path& path) {
  Tuning tuning;
  try {
    const nlohmann::json file = nlohmann::json::parse(read_file(path));
    for (const auto& trial : file.at("trials"))
      tuning.trials.push_back({trial.at("arm"),
                               trial.at(trial.contains("budget") ? "budget" : "schedule"),
                               trial.at("peak_lr"), trial.at("dev_wer")});
  } catch (const nlohmann::json::exception& error) {
    throw UserError(fmt::format("{}: broken: {}", path.string(), error.what()),
                    "recreate it with scion compare --tune");
  }
  return tuning;
}

}  // namespace scion
