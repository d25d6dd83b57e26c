#include "scion/text/sentencepiece_model.h"

#include <cstdint>

namespace scion {
namespace {

// A field of a protocol buffer message (https://protobuf.dev/programming-guides/encoding).
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;      // of a number
  std::string_view bytes;  // of a string or a message
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}

  // False at the end, and where the bytes are no message.
  bool next(Field& field) {
    uint64_t tag = 0;
    if (!number(tag)) return false;
    field = {.number = tag >> 3};
    switch (tag & 7) {
      case 0:
        return number(field.value);
      case 1:
        return take(8, field.bytes);
      case 2: {
        uint64_t size = 0;
        return number(size) && take(size, field.bytes);
      }
      case 5:
        return take(4, field.bytes);
      default:
        return false;
    }
  }

 private:
  bool number(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool take(uint64_t size, std::string_view& taken) {
    if (size > bytes_.size()) return false;
    taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }

  std::string_view bytes_;
};

PieceType type_of(std::string_view piece) {
  PieceType type = PieceType::normal;
  FieldReader reader(piece);
  for (Field field; reader.next(field);)
    if (field.number == 3) type = static_cast<PieceType>(field.value);
  return type;
}

// A name without rules ("identity", or none) changes nothing; rules may come without a name.
std::string normaliser_of(std::string_view specification) {
  std::string name = "rules of its own";
  bool has_rules = false;
  FieldReader reader(specification);
  for (Field field; reader.next(field);) {
    if (field.number == 1 && !field.bytes.empty()) name = field.bytes;
    if (field.number == 2) has_rules = !field.bytes.empty();
  }
  return has_rules ? name : "";
}

}  // namespace

SentencePieceFacts sentencepiece_facts(std::string_view serialised) {
  SentencePieceFacts facts;
  bool first = true;
  FieldReader reader(serialised);
  for (Field field; reader.next(field);) {
    if (field.number == 1 && first) {
      facts.first_piece = type_of(field.bytes);
      first = false;
    }
    if (field.number == 3) facts.normaliser = normaliser_of(field.bytes);
  }
  return facts;
}

}  // namespace scion
