#include "scion/core/device/numbers.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace scion {
namespace {

TEST(DeviceNumbers, AreThoseOfLibtorch) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto b = BFloat16{uint16_t(bits)};
    const auto h = Float16{uint16_t(bits)};
    const at::BFloat16 bfloat16(uint16_t(bits), at::BFloat16::from_bits());
    const at::Half half(uint16_t(bits), at::Half::from_bits());
    if (std::isnan(float(bfloat16)))
      EXPECT_TRUE(std::isnan(to_float(b))) << bits;
    else
      EXPECT_EQ(to_float(b), float(bfloat16)) << bits;
    if (std::isnan(float(half)))
      EXPECT_TRUE(std::isnan(to_float(h))) << bits;
    else
      EXPECT_EQ(to_float(h), float(half)) << bits;
  }
}

TEST(DeviceNumbers, AreRoundedAsInLibtorch) {
  const auto expect_same = [](float x) {
    EXPECT_EQ(nearest<BFloat16>(x).bits, at::BFloat16(x).x) << x;
    EXPECT_EQ(nearest<Float16>(x).bits, at::Half(x).x) << x;
  };
  // Every exponent and sign; midpoints between representable numbers, and their neighbours.
  for (uint32_t exponent = 0; exponent < 256; ++exponent)
    for (const uint32_t mantissa :
         {0x0U, 0x1U, 0xFFFU, 0x1000U, 0x1001U, 0x2FFFU, 0x3000U, 0x3001U, 0x7FFFU, 0x8000U,
          0x8001U, 0x17FFFU, 0x18000U, 0x2AAAAAU, 0x400000U, 0x7FEFFFU, 0x7FF000U, 0x7FFFFFU}) {
      if (exponent == 255 && mantissa != 0) continue;
      expect_same(float_of_bits(exponent << 23 | mantissa));
      expect_same(float_of_bits(0x80000000U | exponent << 23 | mantissa));
    }
  EXPECT_TRUE(std::isnan(to_float(nearest<BFloat16>(NAN))));
  EXPECT_TRUE(std::isnan(to_float(nearest<Float16>(NAN))));
}

}  // namespace
}  // namespace scion
