#include "scion/model/model_text.h"

#include "scion/core/options.h"

namespace scion {

nlohmann::json model_json(const ModelFile& file) {
  nlohmann::json json = {{"parameters", file.model->registry().parameter_count()},
                         {"vocabulary", file.model->vocabulary()},
                         {"model", options_json(file.model->config())},
                         {"provenance", file.provenance.to_json()}};
  for (const Parameter& parameter : file.model->registry().all())
    json["tensors"].push_back({{"name", parameter.name},
                               {"shape", parameter.tensor.sizes().vec()},
                               {"axes", parameter.axes_text(Axis::Names::full)},
                               {"trainable", parameter.trainable}});
  return json;
}

std::string model_text(const ModelFile& file) {
  const Registry& registry = file.model->registry();
  std::string text;
  std::map<std::string, int64_t> parts;
  for (const Parameter& parameter : registry.all()) {
    text += fmt::format("{:<56} {:>10}  {}{}\n", parameter.name, parameter.tensor.numel(),
                        parameter.axes_text(), parameter.trainable ? "" : "  (not trained)");
    if (parameter.trainable)
      parts[parameter.name.substr(0, parameter.name.find('.'))] += parameter.tensor.numel();
  }
  text += "\n";
  for (const auto& [part, count] : parts) text += fmt::format("{:<56} {:>10}\n", part, count);
  return text + fmt::format("{:<56} {:>10}\n\nvocabulary: {} pieces, blank is 0\n", "parameters",
                            registry.parameter_count(), file.model->vocabulary());
}

}  // namespace scion
