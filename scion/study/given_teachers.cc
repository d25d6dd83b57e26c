#include "scion/study/given_teachers.h"

#include <nlohmann/json.hpp>

#include "scion/core/device.h"
#include "scion/core/files/file.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/log.h"
#include "scion/core/option_words.h"
#include "scion/model/model_file.h"
#include "scion/model/precision.h"
#include "scion/recognition/evaluation.h"
#include "scion/recognition/model_dataset.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

// What decides a line of the results.
Json inputs_of(const RunConfig& config, const std::string& checksum, const NamedManifest& set) {
  return {{"set", set.name},
          {"teacher", checksum},
          {"manifest", list_utterances({set.path}).checksum()},
          {"precision", word_of(config.train.precision)},
          {"device", config.train.device}};
}

Json evaluation_of(const ModelFile& file, const RunConfig& config, const NamedManifest& set) {
  const bool bf16 = use_bf16(config.train.precision, config.train.device,
                             file.model->registry().parameter_count());
  const Dataset data = dataset_for(file, {set.path}, DataPurpose::evaluation);
  Json line = evaluate(*file.model, data.tokenizer(), data, {.bf16 = bf16}).to_json();
  line["set"] = set.name;
  line["epoch"] = line["update"] = line["training_seconds"] = 0;
  return line;
}

// Lines for all sets, those of `known` where they are still right.
std::string result_lines(const RunConfig& config, const std::string& path,
                         const std::string& checksum, const std::vector<NamedManifest>& sets,
                         const std::vector<Json>& known) {
  std::optional<ModelFile> file;
  std::string lines;
  for (const NamedManifest& set : sets) {
    const Json inputs = inputs_of(config, checksum, set);
    const auto found = std::find_if(known.begin(), known.end(), [&](const Json& line) {
      return line.value("inputs", Json()) == inputs;
    });
    Json line;
    if (found != known.end()) {
      line = *found;
    } else {
      log_info("evaluates the teacher {} on {}", path, set.name);
      if (!file) {
        file = load_model(path);
        file->model->to(find_device(config.train.device));
      }
      line = evaluation_of(*file, config, set);
      line["inputs"] = inputs;
    }
    lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return lines;
}

}  // namespace

fs::path given_teacher_results(const fs::path& out, const RecipeTeacher& teacher) {
  return out / "teachers" / fmt::format("file-{}", teacher.number) / "results.jsonl";
}

std::map<int64_t, std::string> checksums_of_given_teachers(const Recipe& recipe) {
  std::map<int64_t, std::string> checksums;
  if (!recipe.has_teachers()) return checksums;
  for (const RecipeTeacher& teacher : recipe.teachers)
    if (!teacher.file.empty()) checksums[teacher.number] = file_checksum(teacher.file);
  return checksums;
}

void evaluate_given_teachers(const Recipe& recipe, const SharedSettings& shared) {
  for (const RecipeTeacher& teacher : recipe.teachers) {
    const auto checksum = shared.given_teachers.find(teacher.number);
    if (checksum == shared.given_teachers.end()) continue;
    const fs::path results = given_teacher_results(shared.out, teacher);
    fs::create_directories(results.parent_path());
    write_file(results, result_lines(recipe.teacher, teacher.file, checksum->second,
                                     shared.evaluation, read_json_lines(results)));
  }
}

}  // namespace scion
