#include "scion/calibration/calibration_summary.h"

#include <nlohmann/json.hpp>

namespace scion {

double CalibrationSummary::compensated_share() const {
  int64_t compensated = 0;
  for (const LayerErrors& layer : layers)
    if (layer.compensated) compensated += layer.parameters;
  return static_cast<double>(compensated) / static_cast<double>(student_parameters);
}

nlohmann::json CalibrationSummary::to_json() const {
  // "read_outs" is what model files have called the layers from the beginning.
  nlohmann::json json = {{"utterances", utterances},
                         {"compensated_share", compensated_share()},
                         {"audio_seconds", audio_seconds},
                         {"batch_norms", batch_norms},
                         {"read_outs", nlohmann::json::array()}};
  for (const LayerErrors& layer : layers)
    json["read_outs"].push_back({{"name", layer.name},
                                 {"teacher_inputs", layer.teacher_inputs},
                                 {"student_inputs", layer.student_inputs},
                                 {"before", layer.before},
                                 {"after", layer.after},
                                 {"compensated", layer.compensated},
                                 {"parameters", layer.parameters}});
  return json;
}

std::string CalibrationSummary::to_text() const {
  size_t width = 8;
  for (const LayerErrors& layer : layers) width = std::max(width, layer.name.size());
  std::string text =
      fmt::format("{:<{}}  {:>14}  {:>21}\n", "layer", width, "inputs", "relative error");
  for (const LayerErrors& layer : layers)
    text += fmt::format("{:<{}}  {:>6} → {:>5}  {:>8.4f} → {:>8.4f}{}\n", layer.name, width,
                        layer.teacher_inputs, layer.student_inputs, layer.before, layer.after,
                        layer.compensated ? "" : "  (as selected)");
  return text + fmt::format(
                    "compensated: {:.1f} % of the student's parameters; statistics of {} batch "
                    "normalisations replaced; {} utterances, {:.0f} s of speech\n",
                    100 * compensated_share(), batch_norms, utterances, audio_seconds);
}

}  // namespace scion
