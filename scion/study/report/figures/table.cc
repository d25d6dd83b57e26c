#include "scion/study/report/figures/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace scion {
namespace {

// Terminal columns of UTF-8 text, one per code point.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, size_t width, bool left) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return left ? text + space : space + text;
}

std::string cell_text(const Cell& cell) { return cell.strong ? cell.text + "*" : cell.text; }

bool is_heading(const Table& table, const std::vector<Cell>& row) {
  return row.size() == 1 && table.columns.size() > 1;
}

std::string html_row(const Table& table, const std::vector<Cell>& row, const char* tag) {
  if (is_heading(table, row))
    return fmt::format("<tr class=\"heading\"><td class=\"label\" colspan=\"{}\">{}</td></tr>\n",
                       table.columns.size(), escape_html(row.front().text));
  // A row with an empty label continues the one above.
  const bool continues = table.label_columns > 1 && row.front().text.empty();
  std::string html = continues ? "<tr class=\"more\">" : "<tr>";
  for (size_t i = 0; i < row.size(); ++i) {
    const bool is_label = i < table.label_columns;
    const std::string text = escape_html(row[i].text);
    html += fmt::format("<{0}{1}>{2}</{0}>", tag, is_label ? " class=\"label\"" : "",
                        row[i].strong ? "<strong>" + text + "</strong>" : text);
  }
  return html + "</tr>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string table_text(const Table& table) {
  std::vector<size_t> widths;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    widths.push_back(width_of(table.columns[i]));
    for (const auto& row : table.rows)
      if (!is_heading(table, row)) widths[i] = std::max(widths[i], width_of(cell_text(row[i])));
  }
  const auto line = [&](const auto& cells, const auto& text) {
    std::string joined;
    for (size_t i = 0; i < cells.size(); ++i)
      joined += (i > 0 ? "  " : "") + padded(text(cells[i]), widths[i], i < table.label_columns);
    joined.erase(joined.find_last_not_of(' ') + 1);
    return joined + "\n";
  };
  std::string text = table.title.empty() ? "" : table.title + "\n";
  text += line(table.columns, [](const std::string& column) { return column; });
  for (const auto& row : table.rows) text += line(row, cell_text);
  if (!table.note.empty()) text += table.note + "\n";
  return text;
}

std::string table_html(const Table& table) {
  std::vector<Cell> header;
  for (const std::string& column : table.columns) header.push_back({column});
  std::string html = "<figure class=\"table\">\n";
  if (!table.title.empty())
    html += fmt::format("<figcaption>{}</figcaption>\n", escape_html(table.title));
  html += fmt::format("<div class=\"scroll\"><table{}>\n<thead>",
                      table.wraps ? " class=\"wraps\"" : "");
  html += html_row(table, header, "th") + "</thead>\n<tbody>\n";
  for (const auto& row : table.rows) html += html_row(table, row, "td");
  html += "</tbody>\n</table></div>\n";
  if (!table.note.empty())
    html += fmt::format("<p class=\"note\">{}</p>\n", escape_html(table.note));
  return html + "</figure>\n";
}

}  // namespace scion
