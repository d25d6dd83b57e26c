// scion inspect: what is in a model file, or in the folder of a run or of a comparison.
#include <fmt/format.h>

#include <filesystem>

#include "scion/cli/commands.h"
#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/options.h"
#include "scion/model/model_file.h"
#include "scion/selection/plan.h"
#include "scion/study/study_record.h"
#include "scion/training/run_record.h"

namespace scion {
namespace {

nlohmann::json to_json(const ModelFile& file) {
  nlohmann::json json = {{"parameters", file.model->registry().parameter_count()},
                         {"vocabulary", file.model->vocabulary()},
                         {"model", options_json(file.model->config())},
                         {"provenance", file.provenance}};
  for (const Parameter& parameter : file.model->registry().all())
    json["tensors"].push_back({{"name", parameter.name},
                               {"shape", parameter.tensor.sizes().vec()},
                               {"axes", parameter.axes_text()},
                               {"trainable", parameter.trainable}});
  return json;
}

// "layers even-last, rescale fan-in": what differs between two tables of options.
std::string changes_text(const nlohmann::json& from, const nlohmann::json& to) {
  std::vector<std::string> changes;
  for (const auto& [key, value] : to.items())
    if (key != "seed" && value != from.value(key, nlohmann::json()))
      changes.push_back(key + " " + (value.is_string() ? value.get<std::string>() : value.dump()));
  return fmt::format("{}", fmt::join(changes, ", "));
}

void print_selection(const nlohmann::json& selected, const std::string& indent) {
  const std::string rule_set = selected.value("rule_set", "?");
  const std::vector<std::string> known = rule_set_names();
  const bool named = std::find(known.begin(), known.end(), rule_set) != known.end();
  const std::string changes =
      changes_text(options_json(named ? named_rules(rule_set) : SelectionRules()),
                   selected.value("rules", nlohmann::json::object()));
  fmt::print("{}selected from {} (checksum {}) by the rules '{}'{}\n", indent,
             selected.value("teacher", "?"), selected.value("teacher_checksum", "?"), rule_set,
             changes.empty() ? "" : ", but " + changes);
  const nlohmann::json plan = selected.value("plan", nlohmann::json::object());
  const nlohmann::json stacks = plan.value("layers", nlohmann::json::object());
  for (const auto& [stack, layers] : stacks.items())
    fmt::print("{}  {}: the teacher's {}\n", indent, stack,
               fmt::join(layers.get<std::vector<int64_t>>(), ", "));
  if (plan.contains("shares")) {
    const nlohmann::json& shares = plan["shares"];
    fmt::print("{}  {}\n", indent,
               PlanShares{shares.value("copied", int64_t{0}), shares.value("cropped", int64_t{0}),
                          shares.value("random", int64_t{0})}
                   .to_text());
  }
}

// The file itself, then what it was started from, and so on.
void print_pedigree(const nlohmann::json& provenance, int depth = 0) {
  const std::string indent(static_cast<size_t>(2 * depth), ' ');
  if (provenance.is_string()) fmt::print("{}started: {}\n", indent, provenance.get<std::string>());
  if (!provenance.is_object()) return;
  if (provenance.contains("trained")) {
    const auto& trained = provenance["trained"];
    fmt::print("{}trained: {} epochs, {} updates, {} utterances, {:.2f} h, seed {}\n", indent,
               trained["epochs"].dump(), trained["updates"].dump(), trained["utterances"].dump(),
               trained.value("hours", 0.0), trained["seed"].dump());
  }
  if (provenance.contains("start")) print_pedigree(provenance["start"], depth + 1);
  if (provenance.contains("calibrated"))
    fmt::print("{}calibrated: {}\n", indent,
               changes_text(nlohmann::json::object(),
                            provenance["calibrated"].value("options", nlohmann::json::object())));
  if (provenance.contains("selected")) {
    print_selection(provenance["selected"], indent);
    print_pedigree(provenance["selected"]["teacher_provenance"], depth + 1);
  }
}

void print_text(const ModelFile& file) {
  const Registry& registry = file.model->registry();
  for (const Parameter& parameter : registry.all())
    fmt::print("{:<56} {:>10}  {}{}\n", parameter.name, parameter.tensor.numel(),
               parameter.axes_text(), parameter.trainable ? "" : "  (not trained)");
  std::map<std::string, int64_t> parts;
  for (const Parameter& parameter : registry.all())
    if (parameter.trainable)
      parts[parameter.name.substr(0, parameter.name.find('.'))] += parameter.tensor.numel();
  fmt::print("\n");
  for (const auto& [part, count] : parts) fmt::print("{:<56} {:>10}\n", part, count);
  fmt::print("{:<56} {:>10}\n\nvocabulary: {} pieces, blank is 0\n", "parameters",
             registry.parameter_count(), file.model->vocabulary());
  print_pedigree(file.provenance);
}

template <class Record>
void print_record(const Record& record, bool json) {
  if (json)
    fmt::print("{}\n", to_json(record).dump());
  else
    fmt::print("{}", to_text(record));
}

void inspect_folder(const std::filesystem::path& folder, bool json) {
  if (is_run(folder)) return print_record(read_run_record(folder), json);
  if (is_study(folder)) return print_record(read_study_record(folder), json);
  throw UserError(
      fmt::format("{} is neither the folder of a run nor that of a comparison", folder.string()),
      "name a model file, or the --out of 'scion train' or 'scion compare'");
}

void inspect_model(const std::string& path, bool json) {
  const ModelFile file = load_model(path);
  if (json)
    fmt::print("{}\n", to_json(file).dump());
  else
    print_text(file);
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("inspect", "what is in a model file, or how far a run or comparison is");
  command->add_option("path", *path, "model file, or folder of a run or a comparison")->required();
  command->add_flag("--json", *json, "print one JSON object");
  command->callback([path, json] {
    if (std::filesystem::is_directory(*path))
      inspect_folder(*path, *json);
    else
      inspect_model(*path, *json);
  });
}

}  // namespace scion
