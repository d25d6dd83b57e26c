#include "scion/core/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>

#include "scion/core/error.h"
#include "scion/core/log.h"

namespace scion {
namespace {

using nlohmann::json;

// ---- TOML → JSON -------------------------------------------------------------------------------

using Lines = std::map<std::string, int64_t>;  // dotted key → line

json to_json_value(const toml::node& node, const std::string& key, Lines& lines) {
  lines[key] = static_cast<int64_t>(node.source().begin.line);
  if (const auto* table = node.as_table()) {
    json object = json::object();
    for (const auto& [name, child] : *table) {
      const std::string text(name.str());
      object[text] =
          to_json_value(child, key.empty() ? text : fmt::format("{}.{}", key, text), lines);
    }
    return object;
  }
  if (const auto* array = node.as_array()) {
    json list = json::array();
    for (const toml::node& child : *array) list.push_back(to_json_value(child, key + "[]", lines));
    return list;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  return nullptr;  // dates and times: no option takes one
}

json parse_toml_with_lines(std::string_view text, const std::string& place, Lines& lines) {
  try {
    return to_json_value(toml::parse(text), "", lines);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    throw UserError(fmt::format("{}:{}:{}: {}", place, at.line, at.column, error.description()),
                    "see https://toml.io for the syntax");
  }
}

// ---- JSON → variables --------------------------------------------------------------------------

// nullopt when the value is of another type.
std::optional<bool> read(const json& value, const bool*) {
  if (!value.is_boolean()) return std::nullopt;
  return value.get<bool>();
}

std::optional<int64_t> read(const json& value, const int64_t*) {
  if (value.is_number_unsigned() &&
      value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return std::nullopt;
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();  // 1e5 is a whole number, too
  if (number != std::trunc(number) || std::abs(number) > 0x1p53) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::optional<double> read(const json& value, const double*) {
  if (!value.is_number() || std::isnan(value.get<double>())) return std::nullopt;
  return value.get<double>();
}

std::optional<std::string> read(const json& value, const std::string*) {
  if (!value.is_string()) return std::nullopt;
  return value.get<std::string>();
}

template <class T>
std::optional<std::vector<T>> read(const json& value, const std::vector<T>*) {
  if (!value.is_array()) return std::nullopt;
  std::vector<T> list;
  for (const json& element : value) {
    const auto item = read(element, static_cast<const T*>(nullptr));
    if (!item) return std::nullopt;
    list.push_back(*item);
  }
  return list;
}

std::string type_text(const Option::Target& target) {
  static const std::vector<std::string> names = {
      "true or false",           "a whole number",    "a number",         "a string",
      "a list of whole numbers", "a list of numbers", "a list of strings"};
  if (const auto* text = std::get_if<TextTarget>(&target)) return text->kind;
  if (const auto* list = std::get_if<TextListTarget>(&target)) return "a list, each " + list->kind;
  return names[target.index()];
}

template <class T>
json value_of(T* target) {
  return json(*target);
}
json value_of(const TextTarget& target) { return target.text(); }
json value_of(const TextListTarget& target) { return target.text(); }

// Type that a target is read from.
const std::string* texts_of(const TextTarget&) { return nullptr; }
const std::vector<std::string>* texts_of(const TextListTarget&) { return nullptr; }

// Shown in messages and pages: strings as they are in a TOML file.
std::string value_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string toml_value(const json& value) {
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const json& item : value) items.push_back(toml_value(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  if (value.is_number_float()) {
    const std::string text = fmt::format("{}", value.get<double>());
    return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
  }
  std::string text = value_text(value);  // JSON's escapes are TOML's, but for DEL
  for (size_t at = 0; (at = text.find('\x7f', at)) != std::string::npos;)
    text.replace(at, 1, "\\u007f");
  return text;
}

json number_from_text(std::string_view text, bool whole) {
  const char* const end = text.data() + text.size();
  if (whole) {
    int64_t integer = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, integer);
    if (error == std::errc() && stop == end) return integer;
  }
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return nullptr;
  return number;
}

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

/// A list as TOML or JSON writes it: ["a,b", "c"]. Null when `text` is none.
json array_from_text(const std::string& text) {
  if (!text.starts_with('[')) return nullptr;
  try {
    return parse_toml("list = " + text, "").at("list");
  } catch (const UserError&) {  // a name may begin with a bracket
    return nullptr;
  }
}

/// Whether `text`, or what follows its "name=", is a path that exists.
bool is_existing_path(const std::string& text) {
  std::error_code too_long;
  return std::filesystem::exists(text, too_long) ||
         std::filesystem::exists(text.substr(text.find('=') + 1), too_long);
}

/// An array, or items between commas.
template <class Convert>
json list_from_text(std::string_view text, Convert convert) {
  if (json array = array_from_text(trimmed(text)); array.is_array()) return array;
  json list = json::array();
  if (trimmed(text).empty()) return list;
  while (true) {
    const size_t comma = text.find(',');
    list.push_back(convert(trimmed(text.substr(0, comma))));
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

json from_text(const std::string& text, const Option::Target& target) {
  const auto whole = [](std::string_view t) { return number_from_text(t, true); };
  const auto real = [](std::string_view t) { return number_from_text(t, false); };
  const auto same = [](std::string_view t) { return json(t); };
  switch (target.index()) {
    case 0:
      return text == "true" ? json(true) : text == "false" ? json(false) : json(text);
    case 1:
      return whole(text);
    case 2:
      return real(text);
    case 3:
      return text;
    case 4:
      return list_from_text(text, whole);
    case 5:
      return list_from_text(text, real);
    case 7:
      return text;
    default:  // a list of strings, which often are paths
      if (text.find(',') != std::string::npos && is_existing_path(text)) return json::array({text});
      return list_from_text(text, same);
  }
}

std::string parent_key(const std::string& key) {
  const size_t dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string last_name(const std::string& key) { return key.substr(key.rfind('.') + 1); }

// "in seconds; 0 to 10; one of: a, b"
std::string details(const Option& option) {
  std::vector<std::string> parts;
  if (!option.unit().empty()) parts.push_back("in " + option.unit());
  if (!option.range_text().empty()) parts.push_back(option.range_text());
  if (!option.choices().empty())
    parts.push_back(fmt::format("one of: {}", fmt::join(option.choices(), ", ")));
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::string markdown_cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

}  // namespace

json parse_toml(std::string_view text, const std::string& place) {
  Lines lines;
  return parse_toml_with_lines(text, place, lines);
}

// ---- Option ------------------------------------------------------------------------------------

Option& Option::range(double low, double high) {
  low_ = low;
  high_ = high;
  has_range_ = true;
  return *this;
}

Option& Option::unit(std::string unit) {
  unit_ = std::move(unit);
  return *this;
}

Option& Option::choices(std::vector<std::string> choices) {
  choices_ = std::move(choices);
  return *this;
}

Option& Option::adjustable() {
  is_adjustable_ = true;
  return *this;
}

Option& Option::path() {
  is_path_ = true;
  return *this;
}

std::string Option::range_text() const {
  if (!has_range_) return "";
  if (std::isinf(high_)) return fmt::format("at least {}", low_);
  if (std::isinf(low_)) return fmt::format("at most {}", high_);
  return fmt::format("{} to {}", low_, high_);
}

json Option::value() const {
  return std::visit([](const auto& target) { return value_of(target); }, target_);
}

void Option::check(const json& value, const std::string& place) const {
  if (value.is_array()) {
    for (const json& element : value) check(element, place);
    return;
  }
  if (has_range_ && value.is_number() &&
      !(low_ <= value.get<double>() && value.get<double>() <= high_))
    throw UserError(
        fmt::format("{}: {} must be {}, is {}", place, key_, range_text(), value_text(value)),
        help_);
  if (!choices_.empty() && value.is_string() &&
      std::find(choices_.begin(), choices_.end(), value.get<std::string>()) == choices_.end()) {
    const std::string near = nearest_name(value.get<std::string>(), choices_);
    throw UserError(fmt::format("{}: {} must be one of {}, is {}", place, key_,
                                fmt::join(choices_, ", "), value_text(value)),
                    near.empty() ? help_ : fmt::format("did you mean \"{}\"?", near));
  }
}

void Option::set(const json& value, const std::string& place) {
  const auto demand = [&](bool condition) {
    if (!condition)
      throw UserError(fmt::format("{}: {} must be {}, is {}", place, key_, type_text(target_),
                                  value_text(value)),
                      help_);
  };
  const auto assign = [&]<class T>(T& target) {
    if constexpr (std::is_pointer_v<T>) {
      const auto read_value = read(value, target);
      demand(read_value.has_value());
      check(value, place);
      *target = *read_value;
    } else {
      const auto texts = read(value, texts_of(target));
      demand(texts.has_value());
      check(value, place);
      demand(target.parse(*texts));
    }
  };
  std::visit(assign, target_);
  is_set_ = true;
}

void Option::set_text(const std::string& text, const std::string& place) {
  const json value = from_text(text, target_);
  const bool has_null =
      value.is_null() || (value.is_array() && std::count(value.begin(), value.end(), json()) > 0);
  set(has_null ? json(text) : value, place);  // the message then shows the text
}

// ---- Options -----------------------------------------------------------------------------------

void Options::former(const std::string& former, const std::string& key) {
  former_names_[prefix_ + former] = prefix_ + key;
}

std::string Options::current_name(const std::string& key) const {
  const auto found = former_names_.find(key);
  return found == former_names_.end() ? key : found->second;
}

bool Options::is_set(const std::string& key) const {
  return std::any_of(options_.begin(), options_.end(),
                     [&](const auto& option) { return option->key() == key && option->is_set(); });
}

void Options::warn_of_former_names(const std::string& place) {
  constexpr size_t most_named = 3;
  if (former_used_.empty()) return;
  std::string names;
  for (size_t i = 0; i < std::min(most_named, former_used_.size()); ++i)
    names += fmt::format("{}{} is now {}", i ? ", " : "", former_used_[i],
                         former_names_.at(former_used_[i]));
  if (former_used_.size() > most_named)
    names += fmt::format(", and {} more", former_used_.size() - most_named);
  log_warning("{}: former names of options: {}", place, names);
  former_used_.clear();
}

Option& Options::find(const std::string& name, const std::string& place) {
  const std::string key = current_name(name);
  if (key != name) former_used_.push_back(name);
  std::vector<std::string> keys;
  for (const auto& option : options_) {
    if (option->key() == key) return *option;
    keys.push_back(option->key());
  }
  if (is_section(key))
    throw UserError(fmt::format("{}: {} is a section, not an option", place, key),
                    fmt::format("write its options under [{}]", key));
  const std::string near = nearest_name(key, keys);
  throw UserError(
      fmt::format("{}: unknown option {}", place, key),
      near.empty() ? "`scion config` lists the options" : fmt::format("did you mean {}?", near));
}

bool Options::is_section(const std::string& key) const {
  return std::any_of(options_.begin(), options_.end(),
                     [&](const auto& option) { return option->key().starts_with(key + "."); });
}

void Options::load(const json& table, const std::string& prefix, const PlaceOf& place_of) {
  for (const auto& [name, value] : table.items()) {
    const std::string key = prefix + name;
    if (!value.is_object())
      find(key, place_of(key)).set(value, place_of(key));
    else if (!value.empty())
      load(value, key + ".", place_of);
    else if (!is_section(key))
      find(key, place_of(key));
  }
}

void Options::load_toml(std::string_view text, const std::string& place) {
  Lines lines;
  const json table = parse_toml_with_lines(text, place, lines);
  load(table, "", [&](const std::string& key) { return fmt::format("{}:{}", place, lines[key]); });
  warn_of_former_names(place);
}

void Options::load_json(const json& table, const std::string& place) {
  if (!table.is_object())
    throw UserError(
        fmt::format("{}: a table of options is needed, not {}", place, value_text(table)));
  load(table, "", [&](const std::string&) { return place; });
  warn_of_former_names(place);
}

void Options::set(const std::string& key, const std::string& text, const std::string& place) {
  find(key, place).set_text(text, place);
  warn_of_former_names(place);
}

json Options::to_json() const {
  json root = json::object();
  for (const auto& option : options_) {
    json* table = &root;
    std::string_view key = option->key();
    for (size_t dot; (dot = key.find('.')) != std::string_view::npos; key.remove_prefix(dot + 1))
      table = &(*table)[std::string(key.substr(0, dot))];
    (*table)[std::string(key)] = option->value();
  }
  return root;
}

std::vector<Options::Group> Options::groups() const {
  std::vector<Group> groups{{}};  // in TOML, top-level keys precede the first table
  for (const auto& [name, help] : sections_) groups.push_back({name, help, {}});
  for (const auto& option : options_) {
    const std::string parent = parent_key(option->key());
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& g) { return g.name == parent; });
    if (group == groups.end()) group = groups.insert(group, {parent, "", {}});
    group->options.push_back(option.get());
  }
  std::erase_if(groups,
                [](const Group& group) { return group.options.empty() && group.help.empty(); });
  return groups;
}

std::string Options::to_toml() const {
  std::string text;
  for (const Group& group : groups()) {
    if (!text.empty()) text += "\n";
    if (!group.help.empty()) text += fmt::format("# {}\n", group.help);
    if (!group.name.empty()) text += fmt::format("[{}]\n", group.name);
    for (const Option* option : group.options) {
      const std::string more = details(*option);
      text += fmt::format("# {}{}\n{} = {}\n", option->help(),
                          more.empty() ? "" : fmt::format(" ({})", more), last_name(option->key()),
                          toml_value(option->value()));
    }
  }
  return text;
}

std::string Options::to_markdown() const {
  std::string text;
  for (const Group& group : groups()) {
    if (!text.empty()) text += "\n";
    if (!group.name.empty()) text += fmt::format("## `{}`\n\n", group.name);
    if (!group.help.empty()) text += group.help + "\n";
    if (group.options.empty()) continue;
    if (!group.help.empty()) text += "\n";
    text += "| option | default | values | meaning |\n|---|---|---|---|\n";
    for (const Option* option : group.options)
      text += fmt::format("| `{}` | `{}` | {} | {} |\n", option->key(),
                          markdown_cell(toml_value(option->value())),
                          markdown_cell(details(*option)), markdown_cell(option->help()));
  }
  return text;
}

// ---- names -------------------------------------------------------------------------------------

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::numeric_limits<size_t>::max();
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance && 2 * distance <= std::max(name.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace scion
