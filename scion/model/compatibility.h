// Checks that a teacher and a student fit together.
#pragma once

#include <string>
#include <vector>

#include "scion/model/config.h"
#include "scion/model/encoders/encoder.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// UserError naming the option in which the models' feature settings or text normalisation differ.
void require_same_features_and_text(const ModelConfig& teacher, const ModelConfig& student);

/// UserError naming the option unless the student's layers are of the teacher's kind, so that
/// weights of one have a counterpart in the other. Widths and numbers of layers may differ.
void require_same_kind_of_encoder(const ModelConfig& teacher, const ModelConfig& student);
void require_same_kind_of_predictor(const ModelConfig& teacher, const ModelConfig& student);

/// UserError beginning with `option` unless both encoders make the same number of frames of any
/// audio.
void require_same_subsampling(const Encoder& teacher, const Encoder& student,
                              const std::string& option);

/// UserError beginning with `option` unless both vocabularies have the same pieces in the same
/// order.
void require_same_pieces(const Tokenizer& teacher, const Tokenizer& student,
                         const std::string& option);

/// "model.conformer.width (256, the teacher's 192)": the options of size in which the student
/// exceeds the teacher.
std::vector<std::string> larger_sizes(ModelConfig teacher, ModelConfig student);

}  // namespace scion
