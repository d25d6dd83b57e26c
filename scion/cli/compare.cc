// scion compare: runs a study, or makes its report from a table of error rates.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "scion/cli/commands.h"
#include "scion/core/error.h"
#include "scion/core/progress.h"
#include "scion/study/cost.h"
#include "scion/study/report/write_report.h"
#include "scion/study/study.h"

namespace scion {
namespace {

struct CompareArguments {
  std::string recipe, out, table, baseline;
  int64_t seeds = 0, jobs = 0;
  bool tune = false, dump = false, dry_run = false;
};

void compare_table(const CompareArguments& arguments) {
  const StudyReport report = table_report(arguments.table, arguments.baseline);
  fmt::print("{}", report_text(report));
  if (!arguments.out.empty()) fmt::print("\n{}\n", write_report(report, arguments.out).string());
}

std::string counted(size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// What the study trains, how long it takes here, and what it shows at the end.
std::string introduction(const Recipe& recipe, const CompareArguments& arguments) {
  const StudyCost cost = estimate_cost(recipe, arguments.out, arguments.tune);
  const int64_t runs = cost.runs(), finished = cost.finished_runs();
  const bool measured_here = std::any_of(cost.rows.begin(), cost.rows.end(),
                                         [](const CostRow& row) { return !row.from_runs; });
  std::string text = fmt::format(
      "{}\n  trains    {}: {} × {} × {}; {} at a time with {} each\n", recipe.name,
      counted(static_cast<size_t>(runs), "model"), counted(recipe.arms.size(), "arm"),
      counted(recipe.budgets.size(), "budget"), counted(static_cast<size_t>(recipe.seeds), "seed"),
      recipe.jobs, counted(static_cast<size_t>(recipe.threads), "thread"));
  const double seconds = cost.elapsed_seconds_left();
  text += fmt::format(
      "  takes     {}\n",
      finished == runs ? fmt::format("no training: all {} are finished",
                                     counted(static_cast<size_t>(runs), "run"))
                       : fmt::format("about {} on this machine, by {}; {} of {} runs are finished",
                                     format_duration(seconds),
                                     measured_here ? "training steps that were just timed"
                                                   : "the speed of the runs so far",
                                     finished, runs));
  return text + fmt::format(
                    "  shows     word error rates of all arms by epoch, differences with 95 % "
                    "intervals{}\n            here, and with learning curves in {}\n",
                    recipe.checks.empty()
                        ? ""
                        : fmt::format(", {}", counted(recipe.checks.size(), "check")),
                    (std::filesystem::path(arguments.out) / "report.html").string());
}

void compare_recipe(const CompareArguments& arguments) {
  Recipe recipe = read_recipe(arguments.recipe);
  if (arguments.seeds > 0) recipe.seeds = arguments.seeds;
  if (arguments.jobs > 0) recipe.jobs = arguments.jobs;
  if (arguments.dump) {
    fmt::print("{}", recipe.to_toml());
    return;
  }
  if (arguments.dry_run) {
    fmt::print("{}", cost_text(estimate_cost(recipe, arguments.out, arguments.tune)));
    return;
  }
  if (arguments.out.empty()) throw UserError("--out is missing", "name the folder of the study");
  fmt::print("{}\n", introduction(recipe, arguments));
  std::fflush(stdout);
  const StudyOptions options{arguments.recipe, arguments.out,
                             std::filesystem::canonical("/proc/self/exe"), arguments.tune};
  const StudyReport report = run_study(recipe, options);
  const std::filesystem::path out = std::filesystem::absolute(arguments.out);
  fmt::print("{}\n{}\n{}\n", report_text(report), (out / "results.jsonl").string(),
             (out / "report.html").string());
  if (!all_checks_passed(report))
    throw Failure("the results do not pass the checks of the recipe",
                  "see 'checks' above and in the report");
}

}  // namespace

void add_compare(CLI::App& app) {
  auto arguments = std::make_shared<CompareArguments>();
  CLI::App* command = app.add_subcommand("compare", "compare initialisations on equal terms");
  CLI::Option* recipe =
      command->add_option("recipe", arguments->recipe, "TOML recipe, see recipes/an4");
  CLI::Option* table = command->add_option(
      "--from", arguments->table, "a table (CSV: epoch,set,arm,wer[,seed]) instead of a recipe");
  recipe->excludes(table);
  command->add_option("--out", arguments->out, "folder of the study");
  command->add_option("--baseline", arguments->baseline,
                      "with --from: the arm that others are compared with");
  command->add_option("--study.seeds", arguments->seeds,
                      "number of seeds, instead of the recipe's");
  command->add_option("--study.jobs", arguments->jobs,
                      "number of concurrent runs, instead of the recipe's");
  command->add_flag("--dump-config", arguments->dump, "print the complete recipe and exit");
  command->add_flag("--dry-run", arguments->dry_run,
                    "print the runs and their estimated cost and exit");
  command->add_flag("--tune", arguments->tune,
                    "tune on dev again instead of reading the frozen outcome");
  command->callback([arguments] {
    if (!arguments->table.empty()) return compare_table(*arguments);
    if (arguments->recipe.empty())
      throw UserError("neither a recipe nor --from",
                      "scion compare recipes/an4/compare.toml --out DIR");
    compare_recipe(*arguments);
  });
}

}  // namespace scion
