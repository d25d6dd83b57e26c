#include "scion/study/study_record.h"

#include <algorithm>

#include "scion/core/error.h"
#include "scion/core/progress.h"
#include "scion/study/report/figures/table.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

// Folders below `top` that belong to a run, by name.
std::vector<StudyRunRecord> runs_below(const fs::path& directory, const fs::path& top) {
  std::vector<StudyRunRecord> runs;
  if (!fs::exists(top)) return runs;
  const auto look = [&](const fs::path& folder) {
    if (!fs::exists(folder / "run.toml")) return;
    StudyRunRecord run{fs::relative(folder, directory).string(), std::nullopt};
    if (is_run(folder)) run.record = read_run_record(folder);
    runs.push_back(std::move(run));
  };
  look(top);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top))
    if (entry.is_directory()) look(entry.path());
  std::sort(runs.begin(), runs.end(),
            [](const StudyRunRecord& a, const StudyRunRecord& b) { return a.name < b.name; });
  return runs;
}

size_t count_finished(const StudyRecord& record) {
  return static_cast<size_t>(
      std::count_if(record.runs.begin(), record.runs.end(),
                    [](const StudyRunRecord& run) { return run.record && run.record->finished; }));
}

std::vector<Cell> run_row(const StudyRunRecord& run) {
  if (!run.record) return {{run.name}, {"not started"}, {""}, {""}, {""}, {""}};
  const RunRecord& record = *run.record;
  std::string rates;
  for (const SetRecord& set : record.sets)
    rates += fmt::format("{}{} {:.2f}", rates.empty() ? "" : ", ", set.name, set.last_wer);
  const auto left = record.seconds_left();
  return {{run.name},
          {rates},
          {fmt::format("{:.1f} of {}", record.epochs, record.config.train.epochs)},
          {format_duration(record.training_seconds)},
          {left ? format_duration(*left) : ""},
          {record.updates > 0 ? fmt::format("{:.3f}", record.loss) : ""}};
}

template <class Items>
std::string names_of(const Items& items) {
  std::vector<std::string> names;
  for (const auto& item : items) names.push_back(item.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool is_study(const fs::path& directory) { return fs::exists(directory / "recipe.toml"); }

StudyRecord read_study_record(const fs::path& directory) {
  if (!is_study(directory))
    throw UserError(fmt::format("{} is not the folder of a study", directory.string()),
                    "give the folder that was --out of 'scion compare'");
  StudyRecord record;
  record.directory = directory;
  record.recipe = read_recipe(directory / "recipe.toml");
  for (const char* part : {"tuning", "teachers", "students"})
    for (StudyRunRecord& run : runs_below(directory, directory / part))
      record.runs.push_back(std::move(run));
  record.finished = fs::exists(directory / "report.html");
  for (const char* name : {"report.html", "results.jsonl", "recipe.toml", "tuning.json"})
    if (fs::exists(directory / name)) record.files.emplace_back(name);
  return record;
}

nlohmann::json to_json(const StudyRecord& record) {
  nlohmann::json runs = nlohmann::json::array();
  for (const StudyRunRecord& run : record.runs) {
    nlohmann::json& entry = runs.emplace_back();
    if (run.record) entry = to_json(*run.record);
    entry["name"] = run.name;
    entry["begun"] = run.record.has_value();
  }
  return {{"kind", "study"},
          {"directory", record.directory.string()},
          {"name", record.recipe.name},
          {"about", record.recipe.about},
          {"finished", record.finished},
          {"runs_finished", count_finished(record)},
          {"runs", runs},
          {"files", record.files}};
}

std::string to_text(const StudyRecord& record) {
  const auto row = [](const char* name, const std::string& value) {
    return fmt::format("{:<12}{}\n", name, value);
  };
  const Recipe& recipe = record.recipe;
  std::string text = row("study", recipe.name);
  text += row("folder", record.directory.string());
  text += row("arms", names_of(recipe.arms) + "; baseline " + recipe.baseline);
  text += row("budgets", names_of(recipe.budgets));
  text += row("sets", names_of(recipe.sets));
  text += row("progress", fmt::format("{}: {} of {} started runs finished",
                                      record.finished ? "finished" : "not finished",
                                      count_finished(record), record.runs.size()));
  text += row("files", fmt::format("{}", fmt::join(record.files, ", ")));
  Table table;
  table.columns = {"run", "WER %", "epochs", "time", "left", "loss"};
  table.label_columns = 2;
  for (const StudyRunRecord& run : record.runs) table.rows.push_back(run_row(run));
  return table.rows.empty() ? text : text + "\n" + table_text(table);
}

}  // namespace scion
