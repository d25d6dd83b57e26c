// Making a student from a teacher: checks that the two fit, plans, applies.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "scion/model/model_file.h"
#include "scion/selection/plan.h"

namespace scion {

struct Selection {
  Plan plan;
  std::unique_ptr<Transducer> student;
};

/// A student of the configuration `student`, its parameters taken from the teacher by `rules`;
/// what the rules leave random is initialised by `scheme` and `seed` (initialise.h). `scores` and
/// `pieces` are those of make_plan().
/// UserError when features, normalisation, subsampling, kind of layers or vocabulary differ.
Selection select_student(const Transducer& teacher, const ModelConfig& student,
                         const SelectionRules& rules, const std::string& scheme, uint64_t seed,
                         const LeafScores& scores = {}, const Indices& pieces = {});

/// What a student file records of its origin.
nlohmann::json selection_provenance(const std::filesystem::path& teacher_file,
                                    const nlohmann::json& teacher_provenance,
                                    const std::string& rules_name, const SelectionRules& rules,
                                    const Plan& plan);

/// Names of the tensors of a model file that came from another model: those that its plan does not
/// leave random; all of them where it was not selected.
std::set<std::string> copied_parameters(const Registry& registry, const nlohmann::json& provenance);

/// UserError when a teacher hears or writes otherwise than its student: features, text.
void require_same_features_and_text(const ModelConfig& teacher, const ModelConfig& student);

}  // namespace scion
