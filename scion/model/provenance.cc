#include "scion/model/provenance.h"

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/nn/module.h"

namespace scion {
namespace {

using nlohmann::json;

// Takes known keys out of an object; what is left is unknown to this version.
class Table {
 public:
  Table(json table, std::string place) : table_(std::move(table)), place_(std::move(place)) {
    if (!table_.is_object()) broken("is not an object");
  }

  json take(const std::string& key) {
    const auto found = table_.find(key);
    if (found == table_.end()) return nullptr;
    json value = std::move(*found);
    table_.erase(found);
    return value;
  }

  void take(const std::string& key, std::string& value) {
    const json given = take(key);
    if (given.is_null()) return;
    if (!given.is_string()) broken("'" + key + "' is not a string");
    value = given.get<std::string>();
  }

  void take(const std::string& key, int64_t& value) {
    const json given = take(key);
    if (given.is_null()) return;
    if (!given.is_number_integer()) broken("'" + key + "' is not a whole number");
    value = given.get<int64_t>();
  }

  void take(const std::string& key, double& value) {
    const json given = take(key);
    if (given.is_null()) return;
    if (!given.is_number()) broken("'" + key + "' is not a number");
    value = given.get<double>();
  }

  void take_json(const std::string& key, JsonText& text) {
    const json given = take(key);
    if (!given.is_null()) text = given.dump();
  }

  JsonText rest() const { return table_.empty() ? "" : table_.dump(); }

  std::string path(const std::string& key) const { return place_ + "." + key; }

 private:
  [[noreturn]] void broken(const std::string& what) const {
    throw UserError(fmt::format("{}: {}", place_, what),
                    "the model file is damaged or of another version: copy or recreate it");
  }

  json table_;
  std::string place_;
};

json parsed(const JsonText& text) { return text.empty() ? json::object() : json::parse(text); }

json provenance_json(const std::shared_ptr<const Provenance>& provenance) {
  return provenance ? provenance->to_json() : json();
}

std::shared_ptr<const Provenance> read_provenance(const json& value, const std::string& place) {
  if (value.is_null()) return nullptr;
  return std::make_shared<const Provenance>(Provenance::from_json(value, place));
}

void put(json& table, const std::string& key, const std::string& value) {
  if (!value.empty()) table[key] = value;
}

void put_json(json& table, const std::string& key, const JsonText& text) {
  if (!text.empty()) table[key] = json::parse(text);
}

json to_json(const Provenance::Trained& trained) {
  json table = parsed(trained.other);
  table["epochs"] = trained.epochs;
  table["updates"] = trained.updates;
  table["seed"] = trained.seed;
  table["utterances"] = trained.utterances;
  table["hours"] = trained.hours;
  put(table, "version", trained.version);
  put(table, "teacher", trained.teacher);
  put(table, "teacher_checksum", trained.teacher_checksum);
  return table;
}

Provenance::Trained read_trained(Table table) {
  Provenance::Trained trained;
  table.take("epochs", trained.epochs);
  table.take("updates", trained.updates);
  table.take("seed", trained.seed);
  table.take("utterances", trained.utterances);
  table.take("hours", trained.hours);
  table.take("version", trained.version);
  table.take("teacher", trained.teacher);
  table.take("teacher_checksum", trained.teacher_checksum);
  trained.other = table.rest();
  return trained;
}

json to_json(const Provenance::Selected& selected) {
  json table = parsed(selected.other);
  table["teacher"] = selected.teacher;
  table["teacher_checksum"] = selected.teacher_checksum;
  table["teacher_provenance"] = provenance_json(selected.teacher_provenance);
  table["rule_set"] = selected.rule_set;
  put_json(table, "rules", selected.rules);
  put_json(table, "plan", selected.plan);
  return table;
}

Provenance::Selected read_selected(Table table) {
  Provenance::Selected selected;
  table.take("teacher", selected.teacher);
  table.take("teacher_checksum", selected.teacher_checksum);
  selected.teacher_provenance =
      read_provenance(table.take("teacher_provenance"), table.path("teacher_provenance"));
  table.take("rule_set", selected.rule_set);
  table.take_json("rules", selected.rules);
  table.take_json("plan", selected.plan);
  selected.other = table.rest();
  return selected;
}

json to_json(const Provenance::Calibrated& calibrated) {
  json table = parsed(calibrated.other);
  put_json(table, "options", calibrated.options);
  put_json(table, "summary", calibrated.summary);
  return table;
}

Provenance::Calibrated read_calibrated(Table table) {
  Provenance::Calibrated calibrated;
  table.take_json("options", calibrated.options);
  table.take_json("summary", calibrated.summary);
  calibrated.other = table.rest();
  return calibrated;
}

constexpr std::array<std::pair<const char*, std::string Provenance::Imported::*>, 5>
    imported_texts = {{{"toolkit", &Provenance::Imported::toolkit},
                       {"version", &Provenance::Imported::version},
                       {"kind", &Provenance::Imported::kind},
                       {"file", &Provenance::Imported::file},
                       {"checksum", &Provenance::Imported::checksum}}};

json to_json(const Provenance::Imported& imported) {
  json table = parsed(imported.other);
  for (const auto& [key, text] : imported_texts) put(table, key, imported.*text);
  return table;
}

Provenance::Imported read_imported(Table table) {
  Provenance::Imported imported;
  for (const auto& [key, text] : imported_texts) table.take(key, imported.*text);
  imported.other = table.rest();
  return imported;
}

}  // namespace

bool Provenance::empty() const {
  return !trained && !imported && !start && start_name.empty() && !selected && !calibrated &&
         control.empty() && other.empty();
}

json Provenance::to_json() const {
  json root = parsed(other);
  if (trained) root["trained"] = scion::to_json(*trained);
  if (imported) root["imported"] = scion::to_json(*imported);
  if (start)
    root["start"] = start->to_json();
  else
    put(root, "start", start_name);
  if (selected) root["selected"] = scion::to_json(*selected);
  if (calibrated) root["calibrated"] = scion::to_json(*calibrated);
  put(root, "control", control);
  return root.empty() ? json() : root;
}

Provenance Provenance::from_json(const json& root, const std::string& place) {
  Provenance provenance;
  if (root.is_null()) return provenance;
  Table table(root, place);
  const auto section = [&](const std::string& key, auto read, auto& target) {
    json value = table.take(key);
    if (!value.is_null()) target = read(Table(std::move(value), table.path(key)));
  };
  section("trained", read_trained, provenance.trained);
  section("imported", read_imported, provenance.imported);
  section("selected", read_selected, provenance.selected);
  section("calibrated", read_calibrated, provenance.calibrated);
  const json start = table.take("start");
  if (start.is_string())
    provenance.start_name = start.get<std::string>();
  else
    provenance.start = read_provenance(start, table.path("start"));
  table.take("control", provenance.control);
  provenance.other = table.rest();
  return provenance;
}

Provenance::Selected selected_from(const std::filesystem::path& teacher_file,
                                   const Provenance& teacher) {
  Provenance::Selected selected;
  selected.teacher = teacher_file.filename().string();
  selected.teacher_checksum = file_checksum(teacher_file);
  if (!teacher.empty()) selected.teacher_provenance = std::make_shared<const Provenance>(teacher);
  return selected;
}

std::set<std::string> copied_parameters(const Registry& registry, const Provenance& provenance) {
  std::set<std::string> names;
  for (const Parameter& parameter : registry.all()) names.insert(parameter.name);
  if (!provenance.selected) return names;
  // The keys are those of selection/plan_json.cc, which this layer cannot include.
  const json plan = parsed(provenance.selected->plan);
  try {
    for (const json& tensor : plan.at("tensors"))
      if (tensor.at("action") == "random") names.erase(tensor.at("student").get<std::string>());
  } catch (const json::exception& error) {
    throw UserError(fmt::format("the model's selection plan is broken: {}", error.what()),
                    "select the student again");
  }
  return names;
}

}  // namespace scion
