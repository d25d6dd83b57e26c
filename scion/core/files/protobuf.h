// Encoding of protocol buffers: a message is a sequence of fields (number, wire type, value).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace scion::protobuf {

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

/// `bytes` holds at least sizeof(T).
template <class T>
T from_little_endian(std::string_view bytes) {
  std::array<char, sizeof(T)> copy{};
  std::copy_n(bytes.begin(), sizeof(T), copy.begin());
  if constexpr (std::endian::native == std::endian::big) std::reverse(copy.begin(), copy.end());
  return std::bit_cast<T>(copy);
}

/// Seven bits a byte, the lowest first.
std::string varint(uint64_t value);
/// Removes a varint from the front of `bytes`; nullopt when it is cut short.
std::optional<uint64_t> take_varint(std::string_view& bytes);

std::string integer_field(uint64_t field, int64_t value);
/// Strings, bytes, messages.
std::string bytes_field(uint64_t field, std::string_view bytes);
std::string double_field(uint64_t field, double value);
std::string float_field(uint64_t field, double value);

/// The integer field `field` of a message; 0 where it is left out.
int64_t find_integer(std::string_view message, uint64_t field);

}  // namespace scion::protobuf
