#include "scion/study/given_teachers.h"

#include <nlohmann/json.hpp>

#include "scion/core/device.h"
#include "scion/core/files/file.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/log.h"
#include "scion/model/model_file.h"
#include "scion/model/precision.h"
#include "scion/recognition/evaluation.h"
#include "scion/recognition/model_dataset.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

// What decides a line of the results.
Json inputs_of(const RecipeTeacher& teacher, const NamedManifest& set) {
  return {{"set", set.name},
          {"teacher", file_checksum(teacher.file)},
          {"manifest", file_checksum(set.path)}};
}

bool is_evaluated(const fs::path& results, const RecipeTeacher& teacher,
                  const std::vector<NamedManifest>& sets) {
  const std::vector<Json> lines = read_json_lines(results);
  return lines.size() == sets.size() &&
         std::equal(lines.begin(), lines.end(), sets.begin(),
                    [&](const Json& line, const NamedManifest& set) {
                      return line.value("inputs", Json()) == inputs_of(teacher, set);
                    });
}

std::string result_lines(const RunConfig& config, const RecipeTeacher& teacher,
                         const std::vector<NamedManifest>& sets) {
  const ModelFile file = load_model(teacher.file);
  file.model->to(find_device(config.train.device));
  const bool bf16 = use_bf16(config.train.precision, config.train.device,
                             file.model->registry().parameter_count());
  std::string lines;
  for (const NamedManifest& set : sets) {
    const Dataset data = dataset_for(file, {set.path}, DataPurpose::evaluation);
    Json line = evaluate(*file.model, data.tokenizer(), data, {.bf16 = bf16}).to_json();
    line["set"] = set.name;
    line["epoch"] = line["update"] = line["training_seconds"] = 0;
    line["inputs"] = inputs_of(teacher, set);
    lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return lines;
}

}  // namespace

fs::path given_teacher_results(const fs::path& out, const RecipeTeacher& teacher) {
  return out / "teachers" / fmt::format("file-{}", teacher.number) / "results.jsonl";
}

void evaluate_given_teachers(const Recipe& recipe, const SharedSettings& shared) {
  if (!recipe.has_teachers()) return;
  for (const RecipeTeacher& teacher : recipe.teachers) {
    if (teacher.file.empty()) continue;
    const fs::path results = given_teacher_results(shared.out, teacher);
    if (is_evaluated(results, teacher, shared.evaluation)) continue;
    log_info("evaluates the teacher {}", teacher.file);
    fs::create_directories(results.parent_path());
    write_file(results, result_lines(recipe.teacher, teacher, shared.evaluation));
  }
}

}  // namespace scion
