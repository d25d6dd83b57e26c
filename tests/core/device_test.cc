#include "scion/core/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

TEST(Device, IsFoundByName) {
  EXPECT_TRUE(find_device("cpu").is_cpu());
  if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no GPU";
  EXPECT_TRUE(find_device("cuda").is_cuda());
}

TEST(Device, AnAbsentOneIsRefusedWithAHint) {
  EXPECT_THAT(error_of<UserError>([] { find_device("tpu"); }), HasSubstr("devices: cpu, cuda"));
  if (at::globalContext().hasCUDA()) GTEST_SKIP() << "there is a GPU";
  EXPECT_THAT(error_of<UserError>([] { find_device("cuda"); }), HasSubstr("--device cpu"));
}

}  // namespace
}  // namespace scion
