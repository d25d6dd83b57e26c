// The sections of a report, one function each, and what several of them show alike.
#pragma once

#include <string>
#include <vector>

#include "scion/study/report/report_context.h"
#include "scion/study/report/section.h"

namespace scion {

Section overview_section(const ReportContext& context);
Section wer_section(const ReportContext& context);
Section curve_section(const ReportContext& context);
Section speed_section(const ReportContext& context);
Section difference_section(const ReportContext& context);
Section optimisation_section(const ReportContext& context);

/// Epochs for a table's columns: those asked for or, of all after the start, a few that are dense
/// where curves are steep.
std::vector<double> shown_epochs(const StudyReport& report,
                                 const std::vector<const Curve*>& curves);
/// `columns`, then the epochs.
std::vector<std::string> epoch_columns(std::vector<std::string> columns,
                                       const std::vector<double>& epochs);
/// The arm, with the schedule where there are several.
std::string arm_text(const ReportContext& context, const std::string& schedule,
                     const std::string& arm);
/// Logarithmic where curves fall far: equal steps are then equal relative gains.
bool wants_logarithm(const std::vector<const Curve*>& curves);
Series curve_series(const Curve& curve, Scale scale, double unit, std::string name, size_t colour,
                    bool dashed = false);

/// Calls add(arm) for the arms of each group, after a heading row where arms are many.
template <class Add>
void add_by_factor(const ReportContext& context, Table& table, Add add) {
  for (const ReportContext::Group& group : context.groups()) {
    const size_t before = table.rows.size();
    if (context.has_many_arms() && !group.factor.empty()) table.rows.push_back({{group.factor}});
    const size_t first = table.rows.size();
    for (const std::string& arm : group.arms) add(arm);
    if (table.rows.size() == first) table.rows.resize(before);
  }
}

}  // namespace scion
