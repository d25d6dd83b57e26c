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

TEST(Device, DownloadGivesTheNumbers) {
  const std::vector<at::Tensor> tensors = {at::randn({3, 4}), at::randn({5}).to(at::kBFloat16),
                                           at::randn({}), at::empty({0, 2}), at::randn({4, 3}).t()};
  const std::vector<at::Tensor> found = download(tensors);
  ASSERT_EQ(found.size(), tensors.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found[i].is_contiguous()) << i;
    EXPECT_TRUE(at::equal(found[i], tensors[i])) << i;
  }
}

TEST(Device, DownloadOnAGpuGivesTheNumbers) {
  if (!at::globalContext().hasCUDA()) GTEST_SKIP() << "no GPU";
  std::vector<at::Tensor> tensors, there;
  for (const int64_t size : {3, 0, 700, 1})
    for (const at::ScalarType type : {at::kFloat, at::kFloat, at::kLong})
      tensors.push_back((at::randn({size, 2}) * 9).to(type));
  for (const at::Tensor& tensor : tensors) there.push_back(tensor.cuda());
  there[4] = tensors[4];  // one that is not
  const std::vector<at::Tensor> found = download(there);
  ASSERT_EQ(found.size(), tensors.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found[i].is_cpu()) << i;
    EXPECT_TRUE(at::equal(found[i], tensors[i])) << i;
  }
}

}  // namespace
}  // namespace scion
