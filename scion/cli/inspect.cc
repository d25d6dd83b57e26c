// scion inspect: contents of a model file, or progress of a run or a study.
#include <fmt/format.h>

#include <filesystem>

#include "scion/cli/commands.h"
#include "scion/core/error.h"
#include "scion/model/model_text.h"
#include "scion/selection/provenance_text.h"
#include "scion/study/study_record.h"
#include "scion/training/run_record.h"

namespace scion {
namespace {

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
  throw UserError(fmt::format("{} is neither the folder of a run nor of a study", folder.string()),
                  "name a model file, or the --out of 'scion train' or 'scion compare'");
}

void inspect_model(const std::string& path, bool json) {
  const ModelFile file = load_model(path);
  if (json)
    fmt::print("{}\n", model_json(file).dump());
  else
    fmt::print("{}{}", model_text(file), provenance_text(file.provenance));
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("inspect", "contents of a model file, or progress of a run or study");
  command->add_option("path", *path, "model file, or folder of a run or a study")->required();
  command->add_flag("--json", *json, "print one JSON object");
  command->callback([path, json] {
    if (std::filesystem::is_directory(*path))
      inspect_folder(*path, *json);
    else
      inspect_model(*path, *json);
  });
}

}  // namespace scion
