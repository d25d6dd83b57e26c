// Cyclic redundancy checks of audio containers: most significant bit first, beginning with 0.
#pragma once

#include <array>

#include "scion/audio/containers/bytes.h"

namespace scion {

/// A check of `width` bits with the polynomial that FLAC (8: 0x07, 16: 0x8005) or Ogg (32:
/// 0x04c11db7) uses.
template <int width, uint32_t polynomial>
class CyclicCheck {
 public:
  /// Of the bytes, after earlier ones whose check was `check`.
  static uint32_t of(Bytes bytes, uint32_t check = 0) {
    static constexpr std::array<uint32_t, 256> table = make_table();
    for (const std::byte byte : bytes)
      check = (check << 8 & mask) ^ table[(check >> (width - 8) ^ uint32_t(byte)) & 0xff];
    return check;
  }

 private:
  static constexpr uint32_t mask = width == 32 ? 0xffffffff : (uint32_t(1) << width % 32) - 1;
  static constexpr std::array<uint32_t, 256> make_table() {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i << (width - 8);
      for (int bit = 0; bit < 8; ++bit)
        value = (value << 1 ^ ((value >> (width - 1) & 1) != 0 ? polynomial : 0)) & mask;
      table[i] = value;
    }
    return table;
  }
};

}  // namespace scion
