#include "scion/core/out_of_memory.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace scion {
namespace {

TEST(OutOfMemory, IsToldFromOtherErrors) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("file not found")));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(OutOfMemory, IsThrownWhenATensorIsTooLarge) {
  bool told = false;
  try {
    at::empty({int64_t{1} << 60}, at::kByte);
  } catch (const std::exception& error) {
    told = is_out_of_memory(error);
  }
  EXPECT_TRUE(told);
}
#endif

}  // namespace
}  // namespace scion
