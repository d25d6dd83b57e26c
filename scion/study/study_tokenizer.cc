#include "scion/study/study_tokenizer.h"

#include "scion/core/error.h"
#include "scion/core/files/safetensors.h"
#include "scion/data/train_tokenizer.h"
#include "scion/model/model_file.h"

namespace scion {
namespace {

Tokenizer teacher_tokenizer(const RecipeTeacher& teacher) {
  return Tokenizer(packed_tokenizer(read_safetensors(teacher.file)), teacher.file);
}

}  // namespace

Tokenizer make_study_tokenizer(const Recipe& recipe) {
  if (!recipe.teachers.empty() && !recipe.teachers.front().file.empty())
    return teacher_tokenizer(recipe.teachers.front());
  const RunConfig& teacher = recipe.teacher;
  return train_tokenizer(teacher.data.train, teacher.model.text, teacher.tokenizer);
}

void require_pieces_of_teachers(const Recipe& recipe, const std::string& path) {
  const Tokenizer tokenizer = Tokenizer::load(path);
  for (const RecipeTeacher& teacher : recipe.teachers) {
    if (teacher.file.empty()) continue;
    const std::string difference =
        piece_difference(teacher_tokenizer(teacher), "the teacher", tokenizer, path);
    if (!difference.empty())
      throw UserError(fmt::format("the teacher {} has other pieces than the study's tokenizer: {}",
                                  teacher.file, difference),
                      "leave data.tokenizer empty to take the teacher's own, or name teachers of "
                      "the same pieces");
  }
}

}  // namespace scion
