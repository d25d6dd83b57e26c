#include "scion/study/study_tokenizer.h"

#include "scion/core/error.h"
#include "scion/data/train_tokenizer.h"
#include "scion/model/model_file.h"

namespace scion {

Tokenizer make_study_tokenizer(const Recipe& recipe) {
  if (!recipe.teachers.empty() && !recipe.teachers.front().file.empty())
    return Tokenizer(load_model(recipe.teachers.front().file).tokenizer);
  const RunConfig& teacher = recipe.teacher;
  return train_tokenizer(teacher.data.train, teacher.model.text, teacher.tokenizer);
}

void require_pieces_of_teachers(const Recipe& recipe, const std::string& path) {
  for (const RecipeTeacher& teacher : recipe.teachers) {
    if (teacher.file.empty()) continue;
    const std::string difference = piece_difference(Tokenizer(load_model(teacher.file).tokenizer),
                                                    "the teacher", Tokenizer::load(path), path);
    if (!difference.empty())
      throw UserError(fmt::format("the teacher {} has other pieces than the study's tokenizer: {}",
                                  teacher.file, difference),
                      "leave data.tokenizer empty to take the teacher's own, or name teachers of "
                      "the same pieces");
  }
}

}  // namespace scion
