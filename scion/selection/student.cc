#include "scion/selection/student.h"

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/options.h"
#include "scion/model/compatibility.h"
#include "scion/nn/initialise.h"
#include "scion/selection/parameter_patterns.h"
#include "scion/selection/vocabulary.h"

namespace scion {
namespace {

// True if no parameter of a part, e.g. "predictor", comes from the teacher.
bool stays_random(const std::string& part, const Registry& student, const SelectionRules& rules) {
  return std::all_of(student.all().begin(), student.all().end(), [&](const Parameter& parameter) {
    return !parameter.name.starts_with(part + ".") ||
           std::any_of(rules.partial.begin(), rules.partial.end(), [&](const std::string& pattern) {
             return matches_parameter(pattern, parameter.name);
           });
  });
}

// make_plan(), whose error also names the options in which the student is too large.
Plan plan_for(const Transducer& teacher, const Transducer& student, const SelectionRules& rules,
              const LeafScores& scores, const Indices& pieces) {
  try {
    return make_plan(teacher.registry(), student.registry(), rules, scores, pieces);
  } catch (const UserError& error) {
    const auto larger = larger_sizes(teacher.config(), student.config());
    if (larger.empty()) throw;
    throw UserError(error.what(), fmt::format("{}; larger in the student: {}", error.hint(),
                                              fmt::join(larger, ", ")));
  }
}

Provenance selection_provenance(const ModelFile& teacher, const StudentRecipe& recipe,
                                const Plan& plan) {
  Provenance::Selected selected = selected_from(teacher.path, teacher.provenance);
  selected.rule_set = recipe.rule_set;
  selected.rules = options_json(recipe.rules).dump();
  selected.plan = plan.to_json().dump();
  return {.selected = std::move(selected)};
}

}  // namespace

Selection select_student(const Transducer& teacher, const ModelConfig& config,
                         const SelectionRules& rules, const std::string& scheme, uint64_t seed,
                         const LeafScores& scores, const Indices& pieces) {
  Selection selection;
  selection.student = std::make_unique<Transducer>(
      config, pieces.empty() ? teacher.vocabulary() : static_cast<int64_t>(pieces.size()));
  Registry& student = selection.student->registry();
  require_matches(rules.partial, student);
  require_same_features_and_text(teacher.config(), config);
  if (!stays_random("encoder", student, rules))
    require_same_kind_of_encoder(teacher.config(), config);
  if (!stays_random("predictor", student, rules))
    require_same_kind_of_predictor(teacher.config(), config);
  initialise(student, scheme, seed);
  selection.plan = plan_for(teacher, *selection.student, rules, scores, pieces);
  apply_plan(selection.plan, teacher.registry(), student);
  return selection;
}

Student make_student(const ModelFile& teacher, const ModelConfig& config,
                     const StudentRecipe& recipe, const LeafScores& scores) {
  const bool own_pieces = !recipe.tokenizer.empty() && recipe.tokenizer != teacher.tokenizer;
  const Indices pieces =
      own_pieces ? match_pieces(Tokenizer(teacher.tokenizer), Tokenizer(recipe.tokenizer))
                 : Indices{};
  Selection selection = select_student(*teacher.model, config, recipe.rules, recipe.scheme,
                                       static_cast<uint64_t>(recipe.rules.seed), scores, pieces);
  return {{.model = std::move(selection.student),
           .tokenizer = own_pieces ? recipe.tokenizer : teacher.tokenizer,
           .provenance = selection_provenance(teacher, recipe, selection.plan)},
          std::move(selection.plan)};
}

void save_student(const std::filesystem::path& path, const Student& student) {
  save_model(path, *student.file.model, student.file.tokenizer, student.file.provenance);
}

Student load_student(const std::filesystem::path& path, const ModelFile& teacher) {
  ModelFile file = load_model(path);
  if (!file.provenance.selected)
    throw UserError(fmt::format("{} was not selected from a teacher", path.string()),
                    "name a file that scion select has written, before any training");
  const Provenance::Selected& selected = *file.provenance.selected;
  if (selected.teacher_checksum != file_checksum(teacher.path))
    throw UserError(fmt::format("{} was selected from another file than {}", path.string(),
                                teacher.path.string()),
                    fmt::format("name the teacher, a file '{}' with the checksum {}",
                                selected.teacher, selected.teacher_checksum));
  Plan plan = Plan::parse(selected.plan, path.string());
  return {std::move(file), std::move(plan)};
}

}  // namespace scion
