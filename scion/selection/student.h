// A student: a new model whose weights are selected from a teacher.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "scion/model/model_file.h"
#include "scion/selection/plan.h"

namespace scion {

struct Selection {
  Plan plan;
  std::unique_ptr<Transducer> student;
};

/// Builds a model of the configuration `student`, initialises it by `scheme` and `seed`
/// (initialise.h), and copies from the teacher what the plan of `rules` takes. `scores` and
/// `pieces` are those of make_plan(). UserError if features, text normalisation, subsampling or
/// kinds of layers differ, or the student exceeds the teacher.
Selection select_student(const Transducer& teacher, const ModelConfig& student,
                         const SelectionRules& rules, const std::string& scheme, uint64_t seed,
                         const LeafScores& scores = {}, const Indices& pieces = {});

/// Choices that decide a student's weights, given the teacher and the student's configuration.
struct StudentRecipe {
  std::string rule_set;  ///< name of the rule set that `rules` come from, for the record
  SelectionRules rules;
  /// Initialisation of what stays random, seeded by rules.seed.
  std::string scheme = "xavier";
  /// The student's serialised tokenizer; "": the teacher's. Labels are matched by piece.
  std::string tokenizer;
};

struct Student {
  ModelFile file;
  Plan plan;
};

/// select_student() from a teacher's file, with tokenizer and provenance. `scores` rank the
/// teacher's elements, see make_plan().
Student make_student(const ModelFile& teacher, const ModelConfig& config,
                     const StudentRecipe& recipe, const LeafScores& scores = {});

void save_student(const std::filesystem::path& path, const Student& student);

/// A student that save_student() has written. UserError if the file holds no selected model, or one
/// that was trained since or selected from another teacher.
Student load_student(const std::filesystem::path& path, const ModelFile& teacher);

}  // namespace scion
