#include "scion/model/compatibility.h"

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {
namespace {

template <class Value>
void require_equal(const std::string& option, const Value& teacher, const Value& student) {
  if (teacher != student)
    throw UserError(
        fmt::format("{}: the teacher's is {}, the student's {}", option, teacher, student),
        fmt::format("set the student's {} to the teacher's", option));
}

void require_same_options(const std::string& section, const nlohmann::json& teacher,
                          const nlohmann::json& student) {
  for (const auto& [key, value] : student.items())
    require_equal(section + key, teacher.at(key).dump(), value.dump());
}

void require_same_kind(const ConformerConfig& teacher, const ConformerConfig& student) {
  const std::string section = "model.conformer.";
  require_equal(section + "subsampling", teacher.subsampling, student.subsampling);
  require_equal(section + "subsampling_kind", word_of(teacher.subsampling_kind),
                word_of(student.subsampling_kind));
  require_equal(section + "causal_subsampling", teacher.causal_subsampling,
                student.causal_subsampling);
  require_equal(section + "biases", teacher.biases, student.biases);
  require_equal(section + "positions", word_of(teacher.positions), word_of(student.positions));
  require_equal(section + "convolution", word_of(teacher.convolution),
                word_of(student.convolution));
  require_equal(section + "convolution_norm", word_of(teacher.convolution_norm),
                word_of(student.convolution_norm));
  require_equal(section + "activation", word_of(teacher.activation), word_of(student.activation));
  require_equal(section + "input_scaling", teacher.input_scaling, student.input_scaling);
}

void require_same_kind(const LstmConfig& teacher, const LstmConfig& student) {
  require_equal("model.lstm.subsampling", teacher.subsampling, student.subsampling);
}

// Sections of encoders that the configuration does not use: "lstm." for a Conformer.
std::vector<std::string> unused_encoders(const Options& options, const std::string& used) {
  std::vector<std::string> sections;
  for (const auto& option : options.all())
    if (option->key() == "encoder")
      for (const std::string& encoder : option->choices())
        if (encoder != used) sections.push_back(encoder + ".");
  return sections;
}

}  // namespace

void require_same_features_and_text(const ModelConfig& teacher, const ModelConfig& student) {
  require_same_options("model.features.", options_json(teacher.features),
                       options_json(student.features));
  require_same_options("model.text.", options_json(teacher.text), options_json(student.text));
}

void require_same_kind_of_encoder(const ModelConfig& teacher, const ModelConfig& student) {
  require_equal("model.encoder", word_of(teacher.encoder), word_of(student.encoder));
  teacher.visit_encoder([](const auto& from, const auto& to) { require_same_kind(from, to); },
                        student);
}

void require_same_kind_of_predictor(const ModelConfig& teacher, const ModelConfig& student) {
  require_equal("model.predictor", word_of(teacher.predictor), word_of(student.predictor));
  if (teacher.predictor == PredictorKind::lstm)
    require_equal("model.predictor_layers", teacher.predictor_layers, student.predictor_layers);
}

void require_same_subsampling(const Encoder& teacher, const Encoder& student,
                              const std::string& option) {
  for (int64_t frames = 1; frames < 100; ++frames) {
    const int64_t from = teacher.frames_out(frames);
    const int64_t to = student.frames_out(frames);
    if (from == to) continue;
    throw UserError(fmt::format("{}: of {} feature frames the teacher's encoder makes {}, the "
                                "student's {}",
                                option, frames, from, to),
                    "give both the same subsampling, or choose another teacher");
  }
}

void require_same_pieces(const Tokenizer& teacher, const Tokenizer& student,
                         const std::string& option) {
  const std::string difference = piece_difference(teacher, "the teacher", student, "the student");
  if (!difference.empty())
    throw UserError(fmt::format("{}: {}", option, difference),
                    "set data.tokenizer to the teacher's, or choose another teacher");
}

std::vector<std::string> larger_sizes(ModelConfig teacher, ModelConfig student) {
  Options of_teacher, of_student;
  teacher.declare(of_teacher);
  student.declare(of_student);
  const std::vector<std::string> unused = unused_encoders(of_student, word_of(student.encoder));
  std::vector<std::string> larger;
  for (size_t i = 0; i < of_student.all().size(); ++i) {
    const std::string& key = of_student.all()[i]->key();
    const nlohmann::json value = of_student.all()[i]->value(), limit = of_teacher.all()[i]->value();
    const bool is_unused =
        std::any_of(unused.begin(), unused.end(),
                    [&](const std::string& section) { return key.starts_with(section); });
    const bool is_size = !key.ends_with("chunk") && !key.ends_with("left_context");
    if (value.is_number_integer() && value > limit && is_size && !is_unused)
      larger.push_back(
          fmt::format("model.{} ({}, the teacher's {})", key, value.dump(), limit.dump()));
  }
  return larger;
}

}  // namespace scion
