// Plans as JSON.
#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/selection/plan.h"

namespace scion {
namespace {

using nlohmann::json;
using Action = TensorChoice::Action;

constexpr const char* plan_format = "scion-plan-2";
constexpr int64_t largest_size = int64_t{1} << 40;

const std::vector<std::pair<Action, std::string>> action_names = {
    {Action::copied, "copied"}, {Action::cropped, "cropped"}, {Action::random, "random"}};
const std::vector<std::pair<Grain, std::string>> grain_names = {
    {Grain::leaf, "leaf"}, {Grain::spliced, "spliced"}, {Grain::tensor, "tensor"}};

template <class Value>
const std::string& name_of(const std::vector<std::pair<Value, std::string>>& names, Value value) {
  return std::find_if(names.begin(), names.end(),
                      [&](const auto& entry) { return entry.first == value; })
      ->second;
}

json leaf_json(const LeafChoice& leaf) {
  json entry = {{"student", leaf.student},
                {"teacher", leaf.teacher},
                {"teacher_size", leaf.teacher_size},
                {"indices", leaf.indices}};
  if (leaf.scale != 1) entry["scale"] = leaf.scale;
  return entry;
}

json tensor_json(const TensorChoice& tensor) {
  json entry = {{"student", tensor.student},
                {"action", name_of(action_names, tensor.action)},
                {"elements", tensor.elements}};
  if (!tensor.teacher.empty()) entry["teacher"] = tensor.teacher;
  if (!tensor.reason.empty()) entry["reason"] = tensor.reason;
  if (tensor.left > 0) entry["left"] = tensor.left;
  if (tensor.scale != 1) entry["scale"] = tensor.scale;
  return entry;
}

// Reads one object of a plan; errors name its place.
class PlanEntry {
 public:
  PlanEntry(const json& entry, std::string place) : entry_(entry), place_(std::move(place)) {
    if (!entry.is_object()) broken("is not an object");
  }

  const json& at(const std::string& key) const {
    const auto found = entry_.find(key);
    if (found == entry_.end()) broken("lacks '" + key + "'");
    return *found;
  }

  std::string text(const std::string& key) const {
    if (!at(key).is_string()) broken("'" + key + "' is not a string");
    return at(key).get<std::string>();
  }
  std::string text_or_nothing(const std::string& key) const {
    return entry_.contains(key) ? text(key) : "";
  }

  int64_t size(const std::string& key, int64_t largest = largest_size) const {
    return whole(at(key), key, 0, largest);
  }

  double scale() const {
    if (!entry_.contains("scale")) return 1;
    const json& value = entry_["scale"];
    if (!value.is_number() || !(value.get<double>() > 0) || std::isinf(value.get<double>()))
      broken("'scale' is not a positive number");
    return value.get<double>();
  }

  Indices indices(const std::string& key, int64_t lowest, int64_t highest) const {
    if (!at(key).is_array()) broken("'" + key + "' is not a list");
    Indices list;
    for (const json& value : at(key)) list.push_back(whole(value, key, lowest, highest));
    return list;
  }

  template <class Value>
  Value one_of(const std::string& key,
               const std::vector<std::pair<Value, std::string>>& names) const {
    const std::string name = text(key);
    for (const auto& [value, known] : names)
      if (known == name) return value;
    broken(fmt::format("'{}' is unknown: {}", key, name));
  }

  bool has(const std::string& key) const { return entry_.contains(key); }

  [[noreturn]] void broken(const std::string& what) const {
    throw UserError(fmt::format("{}: broken plan: {}", place_, what),
                    "recreate the plan with scion select");
  }

 private:
  int64_t whole(const json& value, const std::string& key, int64_t lowest, int64_t highest) const {
    const bool fits =
        value.is_number_integer() &&
        !(value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(highest));
    if (!fits || value.get<int64_t>() < lowest || value.get<int64_t>() > highest)
      broken(fmt::format("'{}' has {}, which is not a whole number from {} to {}", key,
                         value.is_number() ? value.dump() : value.type_name(), lowest, highest));
    return value.get<int64_t>();
  }

  const json& entry_;
  std::string place_;
};

LeafChoice read_leaf(const PlanEntry& entry) {
  LeafChoice leaf{entry.text("student"), entry.text("teacher"), entry.size("teacher_size"), {}};
  const bool labels = leaf.student == "vocabulary";
  leaf.indices = entry.indices("indices", labels ? -1 : 0, leaf.teacher_size - 1);
  if (!labels && std::adjacent_find(leaf.indices.begin(), leaf.indices.end(),
                                    std::greater_equal<>()) != leaf.indices.end())
    entry.broken("'indices' do not ascend");
  leaf.scale = entry.scale();
  return leaf;
}

TensorChoice read_tensor(const PlanEntry& entry) {
  TensorChoice tensor;
  tensor.student = entry.text("student");
  tensor.action = entry.one_of("action", action_names);
  tensor.elements = entry.size("elements");
  tensor.teacher = entry.text_or_nothing("teacher");
  tensor.reason = entry.text_or_nothing("reason");
  tensor.scale = entry.scale();
  if (entry.has("left")) tensor.left = entry.size("left", tensor.elements);
  return tensor;
}

}  // namespace

json Plan::to_json() const {
  json root = {{"format", plan_format}, {"grain", name_of(grain_names, grain)}, {"layers", layers}};
  root["leaves"] = json::array();
  for (const LeafChoice& leaf : leaves) root["leaves"].push_back(leaf_json(leaf));
  root["tensors"] = json::array();
  for (const TensorChoice& tensor : tensors) root["tensors"].push_back(tensor_json(tensor));
  const PlanShares shares = plan_shares(*this);
  root["shares"] = {
      {"copied", shares.copied}, {"cropped", shares.cropped}, {"random", shares.random}};
  return root;
}

Plan Plan::from_json(const json& root, const std::string& place) {
  const json format = root.is_object() ? root.value("format", json()) : json();
  if (format == "scion-plan-1")
    throw UserError(fmt::format("{}: written by an older scion", place),
                    "select the student again");
  if (format != plan_format)
    throw UserError(fmt::format("{}: not a plan", place), "name a plan that scion select wrote");
  const PlanEntry whole(root, place);
  Plan plan;
  plan.grain = whole.one_of("grain", grain_names);
  const PlanEntry layers(whole.at("layers"), place + ": layers");
  for (const auto& [stack, map] : whole.at("layers").items())
    plan.layers[stack] = layers.indices(stack, 0, largest_size);
  for (const char* list : {"leaves", "tensors"}) {
    if (!whole.at(list).is_array()) whole.broken(fmt::format("'{}' is not a list", list));
    const json& entries = whole.at(list);
    for (size_t i = 0; i < entries.size(); ++i) {
      const PlanEntry entry(entries[i], fmt::format("{}: {}[{}]", place, list, i));
      if (list == std::string("leaves"))
        plan.leaves.push_back(read_leaf(entry));
      else
        plan.tensors.push_back(read_tensor(entry));
    }
  }
  return plan;
}

Plan Plan::parse(std::string_view text, const std::string& place) {
  json root;
  try {
    root = json::parse(text);
  } catch (const json::exception& error) {
    throw UserError(fmt::format("{}: broken plan: {}", place, error.what()),
                    "name a plan that scion select wrote");
  }
  return from_json(root, place);
}

}  // namespace scion
