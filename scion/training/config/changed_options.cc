#include "scion/training/config/changed_options.h"

#include "scion/core/files/file.h"
#include "scion/nn/initialise.h"
#include "scion/training/config/schedule.h"

namespace scion {
namespace {

using Json = nlohmann::json;

// Two paths are alike here, as are two lists of paths: what they hold is compared elsewhere.
bool same_kind_of_path(const Json& before, const Json& now) {
  const auto is_path = [](const Json& value) {
    return value.is_array() ? !value.empty()
                            : value != "" && !is_random_scheme(value.get<std::string>());
  };
  return before == now || (is_path(before) && is_path(now));
}

bool changes_what_is_learnt(const Option& option, const RunConfig& before, const RunConfig& now) {
  if (option.key() == "train.epochs")
    return now.train.epochs < before.train.epochs || depends_on_length(now.train);
  return !option.is_adjustable();
}

}  // namespace

std::string OptionChange::text() const { return fmt::format("{} is {}, was {}", key, now, before); }

std::vector<OptionChange> changed_options(RunConfig before, RunConfig now) {
  Options old_options, new_options;
  before.declare(old_options);
  now.declare(new_options);
  std::vector<OptionChange> changes;
  for (size_t i = 0; i < new_options.all().size(); ++i) {
    const Option& option = *new_options.all()[i];
    const Json was = old_options.all()[i]->value(), is = option.value();
    if (option.is_path() ? same_kind_of_path(was, is) : was == is) continue;
    changes.push_back(
        {option.key(), was.dump(), is.dump(), changes_what_is_learnt(option, before, now)});
  }
  return changes;
}

RunConfig read_written_config(const std::filesystem::path& path) {
  RunConfig config;
  Options options;
  config.declare(options);
  options.load_toml(read_file(path), path.string());
  resolve_paths(config, std::filesystem::current_path());
  return config;
}

}  // namespace scion
