#include "scion/selection/provenance_text.h"

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/selection/plan.h"

namespace scion {
namespace {

nlohmann::json parsed(const JsonText& text) {
  return text.empty() ? nlohmann::json::object() : nlohmann::json::parse(text);
}

// "layers even-last, rescale fan-in": the options of `to` that differ from those of `from`.
std::string changes_text(const nlohmann::json& from, const nlohmann::json& to) {
  std::vector<std::string> changes;
  for (const auto& [key, value] : to.items())
    if (key != "seed" && value != from.value(key, nlohmann::json()))
      changes.push_back(key + " " + (value.is_string() ? value.get<std::string>() : value.dump()));
  return fmt::format("{}", fmt::join(changes, ", "));
}

std::string rules_text(const Provenance::Selected& selected) {
  const std::vector<std::string> known = rule_set_names();
  const bool named = std::find(known.begin(), known.end(), selected.rule_set) != known.end();
  const std::string changes =
      changes_text(options_json(named ? named_rules(selected.rule_set) : SelectionRules()),
                   parsed(selected.rules));
  return fmt::format("'{}'{}", selected.rule_set, changes.empty() ? "" : ", but " + changes);
}

std::string trained_text(const Provenance::Trained& trained, const std::string& indent) {
  std::string text =
      fmt::format("{}trained: {} epochs, {} updates, {} utterances, {:.2f} h, seed {}\n", indent,
                  trained.epochs, trained.updates, trained.utterances, trained.hours, trained.seed);
  if (!trained.teacher.empty())
    text += fmt::format("{}  distilled from {} (checksum {})\n", indent, trained.teacher,
                        trained.teacher_checksum);
  return text;
}

// Layers and shares of a plan; of one that this version cannot read, the reason.
std::string plan_lines(const JsonText& json, const std::string& indent) {
  std::string text;
  try {
    const Plan plan = Plan::parse(json, "the plan");
    for (const auto& [stack, layers] : plan.layers)
      text += fmt::format("{}  {}: the teacher's {}\n", indent, stack, fmt::join(layers, ", "));
    return text + fmt::format("{}  {}\n", indent, plan_shares(plan).to_text());
  } catch (const UserError& error) {
    return fmt::format("{}  {}\n", indent, error.what());
  }
}

std::string selected_text(const Provenance::Selected& selected, const std::string& indent) {
  return fmt::format("{}selected from {} (checksum {}) by the rules {}\n", indent, selected.teacher,
                     selected.teacher_checksum, rules_text(selected)) +
         (selected.plan.empty() ? "" : plan_lines(selected.plan, indent));
}

std::string text_at(const Provenance& provenance, size_t depth) {
  const std::string indent(2 * depth, ' ');
  std::string text;
  if (provenance.trained) text += trained_text(*provenance.trained, indent);
  if (const auto& imported = provenance.imported)
    text += fmt::format("{}imported from {} {} ({}): {} (checksum {})\n", indent, imported->toolkit,
                        imported->version, imported->kind, imported->file, imported->checksum);
  if (!provenance.start_name.empty())
    text += fmt::format("{}  started: {}\n", indent, provenance.start_name);
  if (provenance.start) text += text_at(*provenance.start, depth + 1);
  if (!provenance.control.empty())
    text += fmt::format("{}weights {} as a control\n", indent, provenance.control);
  if (provenance.calibrated)
    text +=
        fmt::format("{}calibrated: {}\n", indent,
                    changes_text(nlohmann::json::object(), parsed(provenance.calibrated->options)));
  if (provenance.selected) {
    text += selected_text(*provenance.selected, indent);
    if (provenance.selected->teacher_provenance)
      text += text_at(*provenance.selected->teacher_provenance, depth + 1);
  }
  return text;
}

}  // namespace

std::string provenance_text(const Provenance& provenance) { return text_at(provenance, 0); }

}  // namespace scion
