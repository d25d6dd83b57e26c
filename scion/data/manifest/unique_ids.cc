#include "scion/data/manifest/unique_ids.h"

#include <utf8proc.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr utf8proc_int32_t byte_order_mark = 0xFEFF;

bool breaks_a_line(utf8proc_int32_t point) {
  const utf8proc_category_t category = utf8proc_category(point);
  const bool white = category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
                     category == UTF8PROC_CATEGORY_ZP;
  const bool control = category == UTF8PROC_CATEGORY_CC || point == byte_order_mark;
  return white || control || point == '(' || point == ')' || point == ';';
}

std::string writable(std::string_view name) {
  std::string text;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(name.data());
  for (size_t i = 0; i < name.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t used =
        utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(name.size() - i), &point);
    const size_t size = used > 0 ? static_cast<size_t>(used) : 1;
    if (used <= 0)
      text += "\uFFFD";
    else if (breaks_a_line(point))
      text += '_';
    else
      text += name.substr(i, size);
    i += size;
  }
  return text;
}

/// A file's path as text. Its candidates for an id are the endings that begin with a whole name.
class FileName {
 public:
  explicit FileName(const fs::path& file) {
    std::string folders;
    for (const fs::path& folder : file.relative_path().parent_path())
      folders += writable(folder.string()) + "/";
    stem_ = folders + writable(file.stem().string());
    extension_ = writable(file.extension().string());
    begin_ = last_separator(stem_.size());
  }

  std::string without_extension() const { return stem_; }
  const std::string& extension() const { return extension_; }
  void keep_extension() { stem_ += std::exchange(extension_, {}); }

  std::string id() const { return stem_.substr(begin_); }
  /// Takes one more folder; false when there is none.
  bool lengthen() {
    if (begin_ == 0) return false;
    begin_ = last_separator(begin_ - 1);
    return true;
  }

 private:
  /// Where the name that ends at `end` begins.
  size_t last_separator(size_t end) const {
    const size_t found = end == 0 ? std::string::npos : stem_.rfind('/', end - 1);
    return found == std::string::npos ? 0 : found + 1;
  }

  std::string stem_, extension_;
  size_t begin_ = 0;
};

using Names = std::vector<FileName>;

/// The places of names that are equal by `key`, group by group.
std::vector<std::vector<size_t>> equal_ones(const Names& names,
                                            std::string (FileName::*key)() const) {
  std::unordered_map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < names.size(); ++i) groups[(names[i].*key)()].push_back(i);
  std::vector<std::vector<size_t>> equal;
  for (auto& [name, group] : groups)
    if (group.size() > 1) equal.push_back(std::move(group));
  return equal;
}

/// Names of different files, lengthened until they differ or nothing is left to tell them apart.
void tell_apart(Names& names) {
  for (const auto& group : equal_ones(names, &FileName::without_extension)) {
    const std::string& extension = names[group.front()].extension();
    const bool differ = std::any_of(group.begin(), group.end(),
                                    [&](size_t i) { return names[i].extension() != extension; });
    for (const size_t i : group)
      if (differ) names[i].keep_extension();
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& group : equal_ones(names, &FileName::id))
      for (const size_t i : group) changed |= names[i].lengthen();
  }
}

void number_equal_ones(std::vector<std::string>& ids) {
  const std::unordered_set<std::string> all(ids.begin(), ids.end());
  std::unordered_set<std::string> given;
  std::unordered_map<std::string, size_t> last_numbers;
  for (std::string& id : ids) {
    if (given.insert(id).second) continue;
    size_t& number = last_numbers.emplace(id, 1).first->second;
    std::string numbered;
    do numbered = fmt::format("{}-{}", id, ++number);
    while (all.contains(numbered) || !given.insert(numbered).second);
    id = numbered;
  }
}

}  // namespace

std::vector<std::string> unique_ids(const std::vector<fs::path>& paths) {
  Names names;  // of different files
  std::unordered_map<std::string, size_t> places;
  std::vector<size_t> place_of_path;
  for (const fs::path& path : paths) {
    const fs::path file = path.lexically_normal();
    const auto [place, is_new] = places.emplace(file.string(), names.size());
    if (is_new) names.emplace_back(file);
    place_of_path.push_back(place->second);
  }
  tell_apart(names);

  std::vector<std::string> ids;
  for (const size_t place : place_of_path) ids.push_back(names[place].id());
  number_equal_ones(ids);
  return ids;
}

}  // namespace scion
