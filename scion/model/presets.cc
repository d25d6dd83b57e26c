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

// Sizes for 500 pieces. Heads are 64 wide in both, so that whole heads can be selected.
ModelConfig large_corpus(int64_t width, int64_t layers, int64_t feed_forward, int64_t predictor) {
  ModelConfig config = conformer(width, layers, width / 64, 31, 4, width / 4);
  config.conformer.feed_forward = feed_forward;
  config.conformer.positions = RelativePositions::sinusoid;
  config.conformer.activation = Activation::swish;
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

ModelConfig fast_conformer(int64_t width, int64_t layers, int64_t channels, int64_t predictor) {
  ModelConfig config = large_corpus(width, layers, 4 * width, predictor);
  config.conformer.kernel = 9;
  config.conformer.subsampling = 8;
  config.conformer.subsampling_channels = channels;
  config.predictor = PredictorKind::lstm;
  return config;
}

ModelConfig lstm(int64_t width, int64_t layers, int64_t hidden, int64_t predictor) {
  ModelConfig config;
  config.encoder = EncoderKind::lstm;
  config.lstm.width = width;
  config.lstm.layers = layers;
  config.lstm.hidden = hidden;
  config.predictor = PredictorKind::lstm;
  config.predictor_width = predictor;
  config.joiner_width = predictor;
  config.ctc = false;
  return config;
}

// A chunk lasts 0.64 s with subsampling 4 and 8, 0.48 s with 6; attention sees four chunks before
// it.
ModelConfig streaming(ModelConfig config) {
  config.conformer.chunk = config.conformer.subsampling == 4 ? 16 : 8;
  config.conformer.left_context = 4 * config.conformer.chunk;
  config.conformer.convolution = ConvolutionKind::causal;
  config.features.normalisation = FeatureNormalisation::global;
  return config;
}

const std::map<std::string, ModelConfig>& presets() {
  static const std::map<std::string, ModelConfig> all = {
      {"fastconformer-113m", fast_conformer(512, 17, 256, 640)},
      {"fastconformer-11m", fast_conformer(192, 11, 96, 320)},
      {"fastconformer-113m-streaming", streaming(fast_conformer(512, 17, 256, 640))},
      {"fastconformer-11m-streaming", streaming(fast_conformer(192, 11, 96, 320))},
      {"lstm-65m", lstm(640, 8, 1024, 640)},
      {"lstm-11m", lstm(320, 5, 512, 320)},
      {"conformer-76m-streaming", streaming(large_corpus(512, 12, 1920, 512))},
      {"conformer-9m-streaming", streaming(large_corpus(192, 9, 768, 320))},
      {"an4-teacher-streaming", streaming(an4(192, 4, 16, 128))},
      {"an4-student-streaming", streaming(an4(96, 2, 8, 64))},
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
