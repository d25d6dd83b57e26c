#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/model/config.h"

namespace scion {
namespace {

ModelConfig conformer(int64_t width, int64_t layers, int64_t heads, int64_t kernel,
                      int64_t subsampling, int64_t channels) {
  ModelConfig config;
  config.conformer.width = width;
  config.conformer.layers = layers;
  config.conformer.heads = heads;
  config.conformer.head_width = width / heads;
  config.conformer.feed_forward = 4 * width;
  config.conformer.kernel = kernel;
  config.conformer.subsampling = subsampling;
  config.conformer.subsampling_channels = channels;
  return config;
}

// Sizes for 500 pieces. The heads of both are 64 wide, so that whole heads can be selected.
ModelConfig large_corpus(int64_t width, int64_t layers, int64_t feed_forward, int64_t predictor) {
  ModelConfig config = conformer(width, layers, width / 64, 31, 4, width / 4);
  config.conformer.feed_forward = feed_forward;
  config.conformer.positions = "sinusoid";
  config.conformer.activation = "swish";
  config.predictor_width = predictor;
  config.joiner_width = predictor;
  config.ctc = false;
  return config;
}

ModelConfig an4(int64_t width, int64_t layers, int64_t channels, int64_t predictor) {
  ModelConfig config = conformer(width, layers, 4, 15, 6, channels);
  config.predictor_width = predictor;
  config.joiner_width = predictor;
  return config;
}

const std::map<std::string, ModelConfig>& presets() {
  static const std::map<std::string, ModelConfig> all = {
      {"conformer-76m", large_corpus(512, 12, 1920, 512)},
      {"conformer-9m", large_corpus(192, 9, 768, 320)},
      {"an4-teacher", an4(192, 4, 16, 128)},
      {"an4-student", an4(96, 2, 8, 64)},
  };
  return all;
}

}  // namespace

ModelConfig preset(const std::string& name) {
  const auto found = presets().find(name);
  if (found != presets().end()) return found->second;
  const std::string near = nearest_name(name, preset_names());
  throw UserError(fmt::format("no preset is called '{}'", name),
                  fmt::format("{}presets: {}", near.empty() ? "" : "did you mean '" + near + "'? ",
                              fmt::join(preset_names(), ", ")));
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, config] : presets()) names.push_back(name);
  return names;
}

}  // namespace scion
