// 16-bit numbers for code that runs on a GPU and, in tests, on the CPU.
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#define SCION_DEVICE __host__ __device__ inline
#else
#define SCION_DEVICE inline
#endif

namespace scion {

/// The type of a kernel's numbers.
enum class Number { float32, float64, bfloat16, float16 };

struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

SCION_DEVICE uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
SCION_DEVICE float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

SCION_DEVICE float to_float(float x) { return x; }
SCION_DEVICE float to_float(BFloat16 x) { return float_of_bits(uint32_t(x.bits) << 16); }
SCION_DEVICE float to_float(Float16 x) {
  const uint32_t sign = uint32_t(x.bits & 0x8000U) << 16, rest = x.bits & 0x7FFFU;
  if (rest >= 0x7C00U) return float_of_bits(sign | 0x7F800000U | (rest << 13));  // not finite
  // In a float's position the number is 2^112 times too small, subnormal ones included.
  return float_of_bits(sign | bits_of(float_of_bits(rest << 13) * float_of_bits(0x77800000U)));
}

/// Rounds to the nearest number of the type, ties to even.
template <class T>
SCION_DEVICE T nearest(float x);
template <>
SCION_DEVICE float nearest<float>(float x) {
  return x;
}
template <>
SCION_DEVICE BFloat16 nearest<BFloat16>(float x) {
  const uint32_t bits = bits_of(x);
  if (x != x) return {uint16_t(0x7FC0U)};
  return {uint16_t((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16)};
}
template <>
SCION_DEVICE Float16 nearest<Float16>(float x) {
  const uint32_t bits = bits_of(x), sign = (bits >> 16) & 0x8000U, rest = bits & 0x7FFFFFFFU;
  if (rest > 0x7F800000U) return {uint16_t(sign | 0x7E00U)};
  if (rest >= 0x477FF000U) return {uint16_t(sign | 0x7C00U)};  // rounds to 65536 or more
  if (rest < 0x38800000U) {
    // Below 2^-14 the step is 2^-24, that of a float between 0.5 and 1.
    const float moved = float_of_bits(rest) + 0.5F;
    return {uint16_t(sign | (bits_of(moved) - 0x3F000000U))};
  }
  return {uint16_t(sign | ((rest - 0x38000000U + 0xFFFU + ((rest >> 13) & 1U)) >> 13))};
}

}  // namespace scion
