// Labels of a student whose pieces are not its teacher's.
#pragma once

#include "scion/nn/axis.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// The teacher's label of each student label: that of the same piece, −1 if the teacher has none.
/// Blank matches blank.
Indices match_pieces(const Tokenizer& teacher, const Tokenizer& student);

}  // namespace scion
