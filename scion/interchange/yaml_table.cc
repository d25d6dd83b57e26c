#include "scion/interchange/yaml_table.h"

#include "scion/core/error.h"

namespace scion {

YamlTable::YamlTable(const YAML::Node& root, const YAML::Node& node, std::string place)
    : root_(root), node_(node), place_(std::move(place)) {}

YamlTable YamlTable::parse(const std::string& text, const std::string& file) {
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    throw UserError(fmt::format("{}: {}", file, error.what()), "copy or download the file again");
  }
  if (!root.IsMap())
    throw UserError(file + ": no mapping of keys", "copy or download the file again");
  return {root, root, file};
}

void YamlTable::fail(const std::string& key, const std::string& what,
                     const std::string& hint) const {
  throw UserError(fmt::format("{}: {}: {}", place_, key, what), hint);
}

void YamlTable::refuse(const std::string& key, const std::string& found,
                       const std::vector<std::string>& supported) const {
  fail(key,
       fmt::format("'{}' is not supported; {} {}", found, fmt::join(supported, ", "),
                   supported.size() == 1 ? "is" : "are"),
       "scion has no layer that computes it");
}

YAML::Node YamlTable::resolved(const YAML::Node& node, const std::string& key, int depth) const {
  constexpr int most_references = 8;
  if (!node.IsDefined() || !node.IsScalar()) return node;
  const std::string& text = node.Scalar();
  if (!text.starts_with("${") || !text.ends_with("}")) return node;
  if (depth == most_references) fail(key, fmt::format("'{}' refers to itself", text));
  std::string rest = text.substr(2, text.size() - 3);
  if (rest.starts_with("model.") && !root_["model"].IsDefined()) rest = rest.substr(6);
  YAML::Node at;
  at.reset(root_);
  for (size_t dot = 0; dot != std::string::npos;) {
    dot = rest.find('.');
    if (!at.IsMap()) fail(key, fmt::format("'{}' leads nowhere", text));
    const YAML::Node below = std::as_const(at)[rest.substr(0, dot)];
    if (!below.IsDefined()) fail(key, fmt::format("'{}' leads nowhere", text));
    at.reset(below);
    if (dot != std::string::npos) rest = rest.substr(dot + 1);
  }
  return resolved(at, key, depth + 1);
}

bool YamlTable::contains(const std::string& key) const {
  return node_.IsMap() && node_[key].IsDefined() && !node_[key].IsNull();
}

bool YamlTable::is_text(const std::string& key) const {
  return node_.IsMap() && node_[key].IsDefined() && node_[key].IsScalar();
}

YAML::Node YamlTable::take(const std::string& key) {
  taken_.insert(key);
  if (!node_.IsMap()) return {};
  return resolved(std::as_const(node_)[key], key);
}

YamlTable YamlTable::table(const std::string& key) {
  const YAML::Node below = take(key);
  const bool absent = !below.IsDefined() || below.IsNull();
  if (!absent && !below.IsMap()) fail(key, "no mapping of keys");
  return {root_, absent ? YAML::Node() : below, place_ + ": " + key};
}

template <class Value>
std::optional<Value> YamlTable::read(const std::string& key, const char* what) {
  const YAML::Node value = take(key);
  if (!value.IsDefined() || value.IsNull()) return std::nullopt;
  try {
    if (value.IsScalar()) return value.as<Value>();
  } catch (const YAML::Exception&) {  // refused below
  }
  fail(key,
       fmt::format("{} is no {}", value.IsScalar() ? "'" + value.Scalar() + "'" : "a list", what));
}

std::string YamlTable::text(const std::string& key, const std::string& fallback) {
  return read<std::string>(key, "text").value_or(fallback);
}
int64_t YamlTable::integer(const std::string& key, int64_t fallback) {
  return read<int64_t>(key, "whole number").value_or(fallback);
}
double YamlTable::real(const std::string& key, double fallback) {
  return read<double>(key, "number").value_or(fallback);
}
bool YamlTable::boolean(const std::string& key, bool fallback) {
  return read<bool>(key, "truth value").value_or(fallback);
}
int64_t YamlTable::integer(const std::string& key) {
  const std::optional<int64_t> value = read<int64_t>(key, "whole number");
  if (!value) fail(key, "it is missing");
  return *value;
}

std::vector<std::string> YamlTable::texts(const std::string& key) {
  const YAML::Node list = take(key);
  if (!list.IsDefined() || !list.IsSequence()) fail(key, "a list of texts is wanted");
  std::vector<std::string> texts;
  for (const YAML::Node& item : list) {
    if (!item.IsScalar()) fail(key, "a list of texts is wanted");
    texts.push_back(item.Scalar());
  }
  return texts;
}

std::vector<std::vector<int64_t>> YamlTable::integer_lists(const std::string& key) {
  const YAML::Node lists = take(key);
  std::vector<std::vector<int64_t>> result;
  if (!lists.IsDefined() || lists.IsNull()) return result;
  try {
    if (lists.IsSequence() && lists.size() > 0 && lists[0].IsSequence())
      result = lists.as<std::vector<std::vector<int64_t>>>();
    else
      result = {lists.as<std::vector<int64_t>>()};
  } catch (const YAML::Exception&) {
    fail(key, "whole numbers are wanted");
  }
  return result;
}

void YamlTable::require(const std::string& key, const std::vector<std::string>& texts) {
  const YAML::Node value = take(key);
  if (!value.IsDefined() || value.IsNull()) return;
  const std::string found = value.IsScalar() ? value.Scalar() : "a list";
  if (std::find(texts.begin(), texts.end(), found) == texts.end()) refuse(key, found, texts);
}

void YamlTable::ignore(const std::vector<std::string>& keys) {
  taken_.insert(keys.begin(), keys.end());
}

void YamlTable::refuse_others() const {
  if (!node_.IsMap()) return;
  for (const auto& item : node_)
    if (!item.first.IsScalar() || !taken_.contains(item.first.Scalar()))
      fail(item.first.IsScalar() ? item.first.Scalar() : "a key",
           "scion does not know this key, which may change what the model computes",
           "report it with the model's name");
}

}  // namespace scion
