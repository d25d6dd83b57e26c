// The tokenizer that all runs of a study share.
#pragma once

#include <string>

#include "scion/study/recipe/recipe.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// Where the recipe names no tokenizer: that of the teachers' files, else one trained on the
/// teacher's training data.
Tokenizer make_study_tokenizer(const Recipe& recipe);

/// UserError naming the first piece in which a teacher's file differs from the tokenizer in `path`.
void require_pieces_of_teachers(const Recipe& recipe, const std::string& path);

}  // namespace scion
