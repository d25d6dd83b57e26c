#include "scion/nn/initialise.h"

#include "scion/core/error.h"
#include "scion/core/random.h"

namespace scion {
namespace {

template <class Draw>
void fill(const Parameter& parameter, uint64_t seed, Draw draw) {
  Random random(seed, RandomStream::initialisation, stable_hash(parameter.name));
  at::Tensor values = at::empty(parameter.tensor.sizes(), at::kFloat);
  float* value = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) value[i] = static_cast<float>(draw(random));
  parameter.tensor.copy_(values);
}

void fill_uniform(const Parameter& parameter, uint64_t seed, double bound) {
  fill(parameter, seed, [=](Random& random) { return random.uniform(-bound, bound); });
}

void initialise_weight(const Parameter& parameter, const std::string& scheme, uint64_t seed) {
  const auto in = static_cast<double>(parameter.fan_in());
  const auto out = static_cast<double>(parameter.fan_out());
  if (scheme == "xavier")
    fill_uniform(parameter, seed, std::sqrt(6 / (in + out)));
  else if (scheme == "he")
    draw_normal(parameter, seed, 0, std::sqrt(2 / in));
  else if (parameter.init.kind == Init::Kind::embedding)
    draw_normal(parameter, seed, 0, 1);
  else
    fill_uniform(parameter, seed, 1 / std::sqrt(in));
}

}  // namespace

void draw_normal(const Parameter& parameter, uint64_t seed, double mean, double deviation) {
  fill(parameter, seed, [=](Random& random) { return mean + deviation * random.normal(); });
}

const std::vector<std::string>& random_schemes() {
  static const std::vector<std::string> names = {"xavier", "he", "default"};
  return names;
}

bool is_random_scheme(const std::string& name) {
  const std::vector<std::string>& names = random_schemes();
  return std::find(names.begin(), names.end(), name) != names.end();
}

void initialise(Registry& registry, const std::string& scheme, uint64_t seed) {
  if (!is_random_scheme(scheme))
    throw UserError(fmt::format("no initialisation is called '{}'", scheme),
                    "initialisations: xavier, he, default, or the path of a model file");
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : registry.all()) {
    if (!parameter.trainable) continue;
    switch (parameter.init.kind) {
      case Init::Kind::weight:
      case Init::Kind::embedding:
        initialise_weight(parameter, scheme, seed);
        break;
      case Init::Kind::bias:
        if (scheme == "default")
          fill_uniform(parameter, seed, 1 / std::sqrt(static_cast<double>(parameter.init.fan_in)));
        else
          parameter.tensor.zero_();
        break;
      case Init::Kind::position_table:
        break;
      case Init::Kind::one:
        parameter.tensor.fill_(1);
        break;
      case Init::Kind::zero:
        parameter.tensor.zero_();
        break;
    }
  }
}

}  // namespace scion
