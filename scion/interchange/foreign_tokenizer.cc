// The field numbers are those of sentencepiece_model.proto.
#include "scion/interchange/foreign_tokenizer.h"

#include "scion/core/files/protobuf.h"
#include "scion/text/sentencepiece_model.h"

namespace scion {
namespace {

constexpr const char* blank_piece = "<blk>";

std::string piece_field(const std::string& piece, PieceType type, double score) {
  return protobuf::bytes_field(1, protobuf::bytes_field(1, piece) +
                                      protobuf::float_field(2, score) +
                                      protobuf::integer_field(3, static_cast<int64_t>(type)));
}

}  // namespace

std::string with_blank_first(const std::string& serialised) {
  return piece_field(blank_piece, PieceType::control, 0) + serialised;
}

std::string character_tokenizer(const std::vector<std::string>& characters) {
  constexpr int64_t character_model = 4;
  // SentencePiece demands an unknown piece, and the model has no output to spare: the blank is it.
  std::string model = piece_field(blank_piece, PieceType::unknown, 0);
  double score = 0;
  for (const std::string& character : characters)
    model += piece_field(character == " " ? "\xE2\x96\x81" : character, PieceType::normal, --score);
  const auto size = static_cast<int64_t>(characters.size()) + 1;
  model += protobuf::bytes_field(
      2, protobuf::integer_field(3, character_model) + protobuf::integer_field(4, size) +
             protobuf::integer_field(40, 0) + protobuf::integer_field(41, -1) +
             protobuf::integer_field(42, -1) + protobuf::integer_field(43, -1) +
             protobuf::bytes_field(45, blank_piece));
  // No space before the first word.
  return model + protobuf::bytes_field(
                     3, protobuf::bytes_field(1, "identity") + protobuf::integer_field(3, 0));
}

}  // namespace scion
