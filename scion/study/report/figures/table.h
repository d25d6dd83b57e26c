// Tables that are printed on a terminal and in a page.
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
  /// As many cells as columns; a row of a single cell is a heading of those below.
  std::vector<std::vector<Cell>> rows;
  std::string note = {};
  size_t label_columns = 1;  ///< the first ones hold words and are set flush left
  bool wraps = false;        ///< label columns hold sentences: pages may break their lines
};

/// Columns lined up, by characters.
std::string table_text(const Table& table);
/// A <figure> with a <table>.
std::string table_html(const Table& table);

/// Text that is safe between tags and in quoted attributes.
std::string escape_html(std::string_view text);

}  // namespace scion
