#include "scion/study/report/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "scion/core/error.h"

namespace scion {

bool all_checks_passed(const StudyReport& report) {
  return std::all_of(report.checks.begin(), report.checks.end(),
                     [](const SelfCheck& check) { return check.passed; });
}

StudyReport table_report(const std::filesystem::path& table, const std::string& baseline) {
  StudyReport report;
  report.rows = read_result_table(table);
  std::vector<std::string> arms;
  for (const ResultRow& row : report.rows)
    if (std::find(arms.begin(), arms.end(), row.arm) == arms.end()) arms.push_back(row.arm);
  const auto has = [&](const std::string& arm) {
    return std::find(arms.begin(), arms.end(), arm) != arms.end();
  };
  report.baseline = !baseline.empty() ? baseline : has("random") ? "random" : arms.front();
  if (!has(report.baseline))
    throw UserError(fmt::format("no arm '{}' in {}", report.baseline, table.string()),
                    fmt::format("arms there: {}", fmt::join(arms, ", ")));
  if (arms.size() < 2)
    throw UserError(fmt::format("'{}' is the only arm in {}", arms.front(), table.string()),
                    "a comparison needs a baseline and another arm");
  report.title = "Learning curves of " + table.filename().string();
  report.facts = {{"table", table.string()}};
  return report;
}

}  // namespace scion
