// Tables as text for a terminal and as HTML.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace scion {

struct Cell {
  std::string text;
  bool strong = false;  ///< bold in a page, marked with * on a terminal
};

struct Table {
  std::string title;
  std::vector<std::string> columns;
  /// One cell per column; a row with a single cell is a heading for the rows below it.
  std::vector<std::vector<Cell>> rows;
  std::string note = {};
  size_t label_columns = 1;  ///< leading columns with words, aligned left
  bool wraps = false;        ///< label columns hold sentences that may wrap
};

/// Text with aligned columns.
std::string table_text(const Table& table);
/// A <figure> with a <table>.
std::string table_html(const Table& table);

/// Escapes text for use between tags and in quoted attributes.
std::string escape_html(std::string_view text);

}  // namespace scion
