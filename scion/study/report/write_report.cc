#include "scion/study/report/write_report.h"

#include <fmt/format.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/study/report/figures/page.h"
#include "scion/study/report/headline.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

// The facts that fit into one line; "What was run" has all of them.
std::string dateline(const StudyReport& report) {
  constexpr size_t longest = 48;
  std::string line;
  for (const auto& [name, value] : report.facts)
    if (value.size() <= longest)
      line += fmt::format("{}{} {}", line.empty() ? "" : " · ", name, value);
  return line;
}

std::string header_html(const StudyReport& report) {
  std::string html = fmt::format("<header>\n<h1>{}</h1>\n", escape_html(report.title));
  if (const std::string line = dateline(report); !line.empty())
    html += fmt::format("<p class=\"dateline\">{}</p>\n", escape_html(line));
  if (const std::string finding = headline(report); !finding.empty())
    html += fmt::format("<p class=\"headline\">{}</p>\n", escape_html(finding));
  if (!report.summary.empty())
    html += fmt::format("<p class=\"summary\">{}</p>\n", escape_html(report.summary));
  if (const auto figures = key_figures(report); !figures.empty()) {
    html += "<ul class=\"figures\">\n";
    for (const KeyFigure& figure : figures)
      html += fmt::format("<li><b>{}</b><span>{}</span></li>\n", escape_html(figure.value),
                          escape_html(figure.label));
    html += "</ul>\n";
  }
  return html + "</header>\n";
}

std::string section_html(const Section& section) {
  std::string html =
      fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n", section.id, escape_html(section.title));
  if (!section.text.empty()) html += fmt::format("<p>{}</p>\n", escape_html(section.text));
  std::string dots, charts, tables;
  for (const DotPlot& plot : section.dots) dots += dot_plot_html(plot);
  for (const Chart& chart : section.charts) charts += chart_html(chart);
  for (const Table& table : section.tables) tables += table_html(table);
  html += dots;
  if (!charts.empty()) html += "<div class=\"charts\">\n" + charts + "</div>\n";
  if (!tables.empty()) html += "<div class=\"tables\">\n" + tables + "</div>\n";
  return html + "</section>\n";
}

std::string run_html(const StudyReport& report) {
  if (report.facts.empty() && report.commands.empty()) return "";
  std::string html = "<section id=\"run\">\n<h2>What was run</h2>\n";
  if (!report.facts.empty()) {
    html += "<dl>\n";
    for (const auto& [name, value] : report.facts)
      html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(name), escape_html(value));
    html += "</dl>\n";
  }
  if (!report.commands.empty())
    html += fmt::format("<pre>{}</pre>\n",
                        escape_html(fmt::format("{}", fmt::join(report.commands, "\n"))));
  return html + "</section>\n";
}

std::string notes_html(const StudyReport& report) {
  if (report.notes.empty()) return "";
  std::string html = "<section id=\"notes\">\n<h2>Notes</h2>\n<ul class=\"notes\">\n";
  for (const std::string& note : report.notes)
    html += fmt::format("<li>{}</li>\n", escape_html(note));
  return html + "</ul>\n</section>\n";
}

}  // namespace

std::string report_html(const StudyReport& report) {
  std::string body = "<main>\n" + header_html(report);
  for (const Section& section : report_sections(report)) body += section_html(section);
  body += run_html(report) + notes_html(report);
  body += "<footer>Made by scion " SCION_VERSION ".</footer>\n</main>\n";
  return html_page(report.title, body);
}

std::string report_text(const StudyReport& report) {
  std::string text = report.title + "\n";
  for (const std::string& paragraph : {headline(report), report.summary})
    if (!paragraph.empty()) text += "\n" + paragraph + "\n";
  for (const Section& section : report_sections(report)) {
    if (section.tables.empty()) continue;
    text += fmt::format("\n== {} ==\n", section.title);
    if (!section.text.empty()) text += section.text + "\n";
    for (const Table& table : section.tables) text += "\n" + table_text(table);
  }
  if (!report.facts.empty() || !report.commands.empty()) text += "\n== What was run ==\n";
  for (const auto& [name, value] : report.facts) text += fmt::format("{}: {}\n", name, value);
  for (const std::string& command : report.commands) text += "  " + command + "\n";
  for (const std::string& note : report.notes) text += "\nnote: " + note + "\n";
  return text;
}

std::filesystem::path write_report(const StudyReport& report,
                                   const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw Failure(fmt::format("cannot make folder {}: {}", directory.string(), error.message()),
                  "choose a folder with write permission");
  const std::filesystem::path path = directory / "report.html";
  write_file(path, report_html(report));
  return path;
}

}  // namespace scion
