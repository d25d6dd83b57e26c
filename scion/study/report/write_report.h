// Output of a report as an HTML page and as text.
#pragma once

#include <filesystem>
#include <string>

#include "scion/study/report/report.h"

namespace scion {

/// One self-contained page that loads nothing.
std::string report_html(const StudyReport& report);
/// The headline and the tables, for a terminal.
std::string report_text(const StudyReport& report);
/// Writes report.html into the folder, which is created if missing; returns the path.
std::filesystem::path write_report(const StudyReport& report,
                                   const std::filesystem::path& directory);

}  // namespace scion
