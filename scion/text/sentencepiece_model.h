// Facts about a serialised SentencePiece model that its library does not tell.
#pragma once

#include <string>
#include <string_view>

namespace scion {

/// `SentencePiece.Type` of sentencepiece_model.proto.
enum class PieceType { normal = 1, unknown, control, user_defined, unused, byte };

struct SentencePieceFacts {
  PieceType first_piece = PieceType::normal;  ///< type of piece 0
  /// The rules by which it changes a text before cutting it, e.g. "nmt_nfkc"; "" where it has none.
  std::string normaliser;
};

/// `serialised` is one that the library has loaded; of other bytes, whatever can be read.
SentencePieceFacts sentencepiece_facts(std::string_view serialised);

}  // namespace scion
