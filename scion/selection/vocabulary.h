// A student that writes with other pieces than its teacher.
#pragma once

#include "scion/nn/axis.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// The teacher's label of every student label: that of the same piece, −1 where the teacher has
/// none. Blank is blank.
Indices match_pieces(const Tokenizer& teacher, const Tokenizer& student);

}  // namespace scion
