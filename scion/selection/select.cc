#include "scion/selection/select.h"

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/options.h"
#include "scion/nn/initialise.h"
#include "scion/selection/parameter_patterns.h"

namespace scion {
namespace {

template <class Value>
void require_equal(const std::string& what, const Value& teacher, const Value& student) {
  if (teacher != student)
    throw UserError(
        fmt::format("{}: the teacher's is {}, the student's {}", what, teacher, student),
        fmt::format("set the student's {} to the teacher's", what));
}

void require_compatible(const ConformerConfig& teacher, const ConformerConfig& student) {
  const std::string place = "model.conformer.";
  require_equal(place + "subsampling", teacher.subsampling, student.subsampling);
  require_equal(place + "positions", teacher.positions, student.positions);
  require_equal(place + "convolution", teacher.convolution, student.convolution);
  require_equal(place + "convolution_norm", teacher.convolution_norm, student.convolution_norm);
  require_equal(place + "activation", teacher.activation, student.activation);
  require_equal(place + "input_scaling", teacher.input_scaling, student.input_scaling);
}

void require_compatible_encoders(const ModelConfig& teacher, const ModelConfig& student) {
  require_equal("model.encoder", teacher.encoder, student.encoder);
  if (teacher.encoder == "conformer")
    require_compatible(teacher.conformer, student.conformer);
  else
    require_equal("model.lstm.subsampling", teacher.lstm.subsampling, student.lstm.subsampling);
}

void require_compatible_predictors(const ModelConfig& teacher, const ModelConfig& student) {
  require_equal("model.predictor", teacher.predictor, student.predictor);
  if (teacher.predictor == "lstm")
    require_equal("model.predictor_layers", teacher.predictor_layers, student.predictor_layers);
}

}  // namespace

void require_same_features_and_text(const ModelConfig& teacher, const ModelConfig& student) {
  const auto require_section = [](const std::string& section, const nlohmann::json& of_teacher,
                                  const nlohmann::json& of_student) {
    for (const auto& [key, value] : of_student.items())
      require_equal(section + key, of_teacher.at(key).dump(), value.dump());
  };
  require_section("model.features.", options_json(teacher.features),
                  options_json(student.features));
  require_section("model.text.", options_json(teacher.text), options_json(student.text));
}

namespace {

// Does nothing of a part, e.g. "predictor", come from the teacher?
bool stays_random(const std::string& part, const Registry& student, const SelectionRules& rules) {
  return std::all_of(student.all().begin(), student.all().end(), [&](const Parameter& parameter) {
    return !parameter.name.starts_with(part + ".") ||
           std::any_of(rules.partial.begin(), rules.partial.end(), [&](const std::string& pattern) {
             return matches_parameter(pattern, parameter.name);
           });
  });
}

// "model.conformer.width (256, the teacher's 192)": sizes in which the student exceeds the teacher.
std::vector<std::string> larger_sizes(ModelConfig teacher, ModelConfig student) {
  Options of_teacher, of_student;
  teacher.declare(of_teacher);
  student.declare(of_student);
  const std::string other_encoder = student.encoder == "lstm" ? "conformer." : "lstm.";
  std::vector<std::string> larger;
  for (size_t i = 0; i < of_student.all().size(); ++i) {
    const std::string& key = of_student.all()[i]->key();
    const nlohmann::json value = of_student.all()[i]->value(), limit = of_teacher.all()[i]->value();
    const bool no_size =
        key.starts_with(other_encoder) || key.ends_with("chunk") || key.ends_with("left_context");
    if (value.is_number_integer() && value > limit && !no_size)
      larger.push_back(
          fmt::format("model.{} ({}, the teacher's {})", key, value.dump(), limit.dump()));
  }
  return larger;
}

Plan make_plan_or_say_what_is_larger(const Transducer& teacher, const Transducer& student,
                                     const SelectionRules& rules, const LeafScores& scores,
                                     const Indices& pieces) {
  try {
    return make_plan(teacher.registry(), student.registry(), rules, scores, pieces);
  } catch (const UserError& error) {
    const auto larger = larger_sizes(teacher.config(), student.config());
    if (larger.empty()) throw;
    throw UserError(error.what(), fmt::format("{}; larger in the student: {}", error.hint(),
                                              fmt::join(larger, ", ")));
  }
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
    require_compatible_encoders(teacher.config(), config);
  if (!stays_random("predictor", student, rules))
    require_compatible_predictors(teacher.config(), config);
  initialise(student, scheme, seed);
  selection.plan =
      make_plan_or_say_what_is_larger(teacher, *selection.student, rules, scores, pieces);
  apply_plan(selection.plan, teacher.registry(), student);
  return selection;
}

nlohmann::json selection_provenance(const std::filesystem::path& teacher_file,
                                    const nlohmann::json& teacher_provenance,
                                    const std::string& rules_name, const SelectionRules& rules,
                                    const Plan& plan) {
  return {{"selected",
           {{"teacher", teacher_file.filename().string()},
            {"teacher_checksum", checksum(read_file(teacher_file))},
            {"teacher_provenance", teacher_provenance},
            {"rule_set", rules_name},
            {"rules", options_json(rules)},
            {"plan", plan.to_json()}}}};
}

std::set<std::string> copied_parameters(const Registry& registry,
                                        const nlohmann::json& provenance) {
  std::set<std::string> names;
  for (const Parameter& parameter : registry.all()) names.insert(parameter.name);
  if (!provenance.is_object() || !provenance.contains("selected")) return names;
  const Plan plan = Plan::from_json(provenance.at("selected").at("plan"), "the model's plan");
  for (const TensorChoice& tensor : plan.tensors)
    if (tensor.action == TensorChoice::Action::random) names.erase(tensor.student);
  return names;
}

}  // namespace scion
