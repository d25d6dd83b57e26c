// scion compare: arms on equal terms, or the same arithmetic on a table of numbers.
#include <fmt/format.h>

#include <filesystem>

#include "scion/cli/commands.h"
#include "scion/core/error.h"
#include "scion/core/log.h"
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
  const StudyReport report = run_table_study(arguments.table, arguments.baseline);
  fmt::print("{}", report_text(report));
  if (!arguments.out.empty()) fmt::print("\n{}\n", write_report(report, arguments.out).string());
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
    const RunPlace place{arguments.out, "", "", {}, {}};
    fmt::print("{}", cost_text(estimate_cost(recipe, place, arguments.tune)));
    return;
  }
  if (arguments.out.empty())
    throw UserError("--out is missing", "name the folder of the comparison");
  log_info("compares {} arms × {} schedules × {} seeds by {} into {}", recipe.arms.size(),
           recipe.schedules.size(), recipe.seeds, arguments.recipe, arguments.out);
  const CompareOptions options{arguments.recipe, arguments.out,
                               std::filesystem::canonical("/proc/self/exe"), arguments.tune};
  if (!compare(recipe, options))
    throw Failure("the results fall short of what the recipe demands",
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
  command->add_option("--out", arguments->out, "folder of the comparison");
  command->add_option("--baseline", arguments->baseline,
                      "with --from: the arm that others are held against");
  command->add_option("--study.seeds", arguments->seeds, "seeds instead of the recipe's");
  command->add_option("--study.jobs", arguments->jobs, "runs at a time instead of the recipe's");
  command->add_flag("--dump-config", arguments->dump, "print the recipe that would run, and stop");
  command->add_flag("--dry-run", arguments->dry_run,
                    "print the runs and what they will cost, and stop");
  command->add_flag("--tune", arguments->tune,
                    "tune on dev again instead of using the frozen outcome");
  command->callback([arguments] {
    if (!arguments->table.empty()) return compare_table(*arguments);
    if (arguments->recipe.empty())
      throw UserError("neither a recipe nor --from",
                      "scion compare recipes/an4/compare.toml --out DIR");
    compare_recipe(*arguments);
  });
}

}  // namespace scion
