// Parts that several sections share: columns by epoch, curves as series, rows by factor.
#pragma once

#include <string>
#include <vector>

#include "scion/study/report/figures/chart.h"
#include "scion/study/report/figures/table.h"
#include "scion/study/report/report_context.h"

namespace scion {

/// The epochs of a table's columns: those that the report asks for or, by default, a selection that
/// is denser early in training.
std::vector<double> shown_epochs(const StudyReport& report,
                                 const std::vector<const Curve*>& curves);
/// `columns` followed by the epochs.
std::vector<std::string> epoch_columns(std::vector<std::string> columns,
                                       const std::vector<double>& epochs);
/// The arm, with the budget if there are several.
std::string arm_text(const ReportContext& context, const std::string& budget,
                     const std::string& arm);
/// True if the error rates span more than a factor of 2: on a logarithmic axis, equal steps are
/// equal relative gains.
bool needs_log_axis(const std::vector<const Curve*>& curves);
Series curve_series(const Curve& curve, Scale scale, double unit, std::string name, size_t colour,
                    bool dashed = false);

/// Calls add(arm) for the arms of each group, after a heading row if there are many arms.
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
