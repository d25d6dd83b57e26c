#include "scion/selection/select.h"

#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/core/options.h"
#include "scion/selection/random_init.h"

namespace scion {
namespace {

nlohmann::json options_json(auto config) {
  Options options;
  config.declare(options);
  return options.to_json();
}

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

void require_compatible(const ModelConfig& teacher, const ModelConfig& student) {
  require_equal("model.encoder", teacher.encoder, student.encoder);
  if (teacher.encoder == "conformer")
    require_compatible(teacher.conformer, student.conformer);
  else
    require_equal("model.lstm.subsampling", teacher.lstm.subsampling, student.lstm.subsampling);
  require_equal("model.predictor", teacher.predictor, student.predictor);
  if (teacher.predictor == "lstm")
    require_equal("model.predictor_layers", teacher.predictor_layers, student.predictor_layers);
  const auto require_section = [](const std::string& section, const nlohmann::json& of_teacher,
                                  const nlohmann::json& of_student) {
    for (const auto& [key, value] : of_student.items())
      require_equal(section + key, of_teacher.at(key).dump(), value.dump());
  };
  require_section("model.features.", options_json(teacher.features),
                  options_json(student.features));
  require_section("model.text.", options_json(teacher.text), options_json(student.text));
}

}  // namespace

Selection select_student(const Transducer& teacher, const ModelConfig& config,
                         const SelectionRules& rules, const std::string& scheme, uint64_t seed,
                         const LeafScores& scores) {
  require_compatible(teacher.config(), config);
  Selection selection;
  selection.student = std::make_unique<Transducer>(config, teacher.vocabulary());
  Registry& student = selection.student->registry();
  initialise(student, scheme, seed);
  selection.plan = make_plan(teacher.registry(), student, rules, scores);
  apply_plan(selection.plan, teacher.registry(), student);
  return selection;
}

nlohmann::json selection_provenance(const std::filesystem::path& teacher_file,
                                    const nlohmann::json& teacher_provenance,
                                    const std::string& rules_name, const SelectionRules& rules,
                                    const Plan& plan) {
  SelectionRules copy = rules;
  Options options;
  copy.declare(options);
  return {{"selected",
           {{"teacher", teacher_file.filename().string()},
            {"teacher_checksum", checksum(read_file(teacher_file))},
            {"teacher_provenance", teacher_provenance},
            {"rule_set", rules_name},
            {"rules", options.to_json()},
            {"plan", plan.to_json()}}}};
}

}  // namespace scion
