#include "scion/core/files/protobuf.h"

namespace scion::protobuf {
namespace {

std::string field_key(uint64_t field, uint64_t wire_type) { return varint(field << 3 | wire_type); }

}  // namespace

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::string integer_field(uint64_t field, int64_t value) {
  return field_key(field, 0) + varint(static_cast<uint64_t>(value));
}

std::string bytes_field(uint64_t field, std::string_view bytes) {
  return field_key(field, 2) + varint(bytes.size()) + std::string(bytes);
}

std::string double_field(uint64_t field, double value) {
  return field_key(field, 1) + little_endian(value);
}

std::string float_field(uint64_t field, double value) {
  return field_key(field, 5) + little_endian(static_cast<float>(value));
}

int64_t find_integer(std::string_view message, uint64_t field) {
  while (const auto key = take_varint(message)) {
    uint64_t length = 0;
    switch (*key & 7) {
      case 0: {
        const auto value = take_varint(message);
        if (*key >> 3 == field && value) return static_cast<int64_t>(*value);
        break;
      }
      case 1:
        length = 8;
        break;
      case 2:
        length = take_varint(message).value_or(message.size());
        break;
      default:
        length = 4;
    }
    message.remove_prefix(std::min<size_t>(length, message.size()));
  }
  return 0;
}

}  // namespace scion::protobuf
