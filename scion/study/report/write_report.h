// A report as a page and as text.
#pragma once

#include <filesystem>
#include <string>

#include "scion/study/report/report.h"

namespace scion {

/// One self-contained page: nothing is loaded from elsewhere.
std::string report_html(const StudyReport& report);
/// The same headline and tables for a terminal.
std::string report_text(const StudyReport& report);
/// Writes report.html into the folder (made if it is missing) and returns its path.
std::filesystem::path write_report(const StudyReport& report,
                                   const std::filesystem::path& directory);

}  // namespace scion
