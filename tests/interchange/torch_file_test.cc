#include "scion/interchange/torch_file.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/interchange/zip_writer.h"

namespace scion {
namespace {

using testing::pickled;
using testing::pickled_tensor;

std::string floats(const std::vector<float>& values) {
  std::string bytes;
  for (const float value : values) bytes += protobuf::little_endian(value);
  return bytes;
}

/// A file of the dictionary whose pickled items are `items`, with storage 0 = 0 … 5.
std::string torch_file(const std::string& items, const std::string& byte_order = "little") {
  return testing::zip_of({{"model/data.pkl", "\x80\x02}(" + items + "u."},
                          {"model/byteorder", byte_order},
                          {"model/data/0", floats({0, 1, 2, 3, 4, 5})},
                          {"model/version", "3\n"}});
}

std::string refusal(const std::string& bytes) {
  try {
    parse_torch_file(bytes, "f.pt");
  } catch (const UserError& error) {
    return error.what();
  }
  return "none";
}

TEST(TorchFile, ViewsShareTheirStorage) {
  const PickledValues values =
      parse_torch_file(torch_file(pickled("all") + pickled_tensor("0", 6, 0, {2, 3}, {3, 1}) +
                                  pickled("turned") + pickled_tensor("0", 6, 0, {3, 2}, {1, 3}) +
                                  pickled("part") + pickled_tensor("0", 6, 4, {2}, {1}) +
                                  pickled("repeated") + pickled_tensor("0", 6, 5, {4, 2}, {0, 0}) +
                                  pickled("none") + pickled_tensor("0", 6, 6, {0, 9}, {9, 1})),
                       "f");
  const auto tensors = tensors_of(*values.root, "f");
  const at::Tensor all = at::arange(6, at::kFloat).view({2, 3});
  EXPECT_TRUE(at::equal(tensors.at("all"), all));
  EXPECT_TRUE(at::equal(tensors.at("turned"), all.t()));
  EXPECT_TRUE(at::equal(tensors.at("part"), at::tensor({4.F, 5.F})));
  EXPECT_TRUE(at::equal(tensors.at("repeated"), at::full({4, 2}, 5.F)));
  EXPECT_EQ(tensors.at("none").numel(), 0);
  EXPECT_TRUE(tensors.at("part").is_alias_of(tensors.at("all")));
}

TEST(TorchFile, ViewsBeyondTheirStorageAreRefused) {
  const std::vector<std::string> views = {
      pickled_tensor("0", 6, 0, {2, 4}, {3, 1}), pickled_tensor("0", 6, 1, {2, 3}, {3, 1}),
      pickled_tensor("0", 6, -1, {1}, {1}), pickled_tensor("0", 6, 0, {2}, {-1}),
      pickled_tensor("0", 6, 0, {2000000000, 2000000000, 2000000000}, {0, 0, 0})};
  for (const std::string& view : views) EXPECT_NE(refusal(torch_file(pickled("x") + view)), "none");
}

TEST(TorchFile, StoragesOfAnotherSizeAreRefused) {
  for (const int32_t count : {5, 7, -1, 2000000000})
    EXPECT_NE(refusal(torch_file(pickled("x") + pickled_tensor("0", count, 0, {1}, {1})))
                  .find("'model/data/0' has 24 bytes"),
              std::string::npos);
  EXPECT_NE(refusal(torch_file(pickled("x") + pickled_tensor("1", 6, 0, {1}, {1})))
                .find("it has no 'model/data/1'"),
            std::string::npos);
}

TEST(TorchFile, ClassesAndInstructionsNotOnTheListAreNamed) {
  EXPECT_NE(refusal(torch_file(pickled("x") + "cos\nsystem\n(" + pickled("true") + "tR"))
                .find("'os.system'"),
            std::string::npos);
  EXPECT_NE(refusal(torch_file(pickled("x") + "cbuiltins\neval\n")).find("'builtins.eval'"),
            std::string::npos);
  EXPECT_NE(refusal(torch_file(pickled("x") + "(iposix\nsystem\n")).find("INST"),
            std::string::npos);
  EXPECT_NE(refusal(torch_file(pickled("x") + pickled("a") + pickled("b") + "\x93")).find("'a.b'"),
            std::string::npos);
  EXPECT_NE(refusal(torch_file(pickled("x") + "\xff")).find("0xff"), std::string::npos);
}

TEST(TorchFile, OtherFormatsAreRefusedByName) {
  EXPECT_NE(refusal(torch_file("", "big")).find("byte order is 'big'"), std::string::npos);
  EXPECT_NE(refusal("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.").find("before version 1.6"),
            std::string::npos);
  EXPECT_NE(refusal("").find("not a file of torch.save"), std::string::npos);
  EXPECT_NE(
      refusal(testing::zip_of({{"a/constants.pkl", ""}, {"a/data.pkl", "N."}})).find("TorchScript"),
      std::string::npos);
  EXPECT_NE(refusal(testing::zip_of({{"b.txt", ""}})).find("without a data.pkl"),
            std::string::npos);
}

TEST(TorchFile, NumbersTextsAndListsAreRead) {
  const PickledValues values = parse_torch_file(
      torch_file(pickled("n") + "K\x07" + pickled("f") + "G\x3f\xf8" + std::string(6, '\0') +
                 pickled("l") + "](K\x01\x88" + "Ne" + pickled("big") + "\x8a\x02" +
                 std::string("\0\x80", 2) + pickled("type") + "ctorch\nfloat32\n" +
                 pickled("path") + "cpathlib\nPosixPath\n(" + pickled("/") + pickled("tmp") + "tR"),
      "f");
  EXPECT_EQ(values.root->find("n")->integer, 7);
  EXPECT_EQ(values.root->find("f")->real, 1.5);
  EXPECT_EQ(values.root->find("l")->items.size(), 3U);
  EXPECT_EQ(values.root->find("big")->integer, -32768);
  EXPECT_EQ(values.root->find("type")->text, "torch.float32");
  EXPECT_EQ(values.root->find("path")->text, "/tmp");
  EXPECT_EQ(values.root->find("absent"), nullptr);
}

TEST(TorchFile, PathsThatGrowAreRefused) {
  std::string paths = pickled("x") + pickled("0123456789abcdef") + "q\x01" + "0";
  // Each path is twice the one before.
  for (int i = 0; i < 12; ++i)
    paths += "cpathlib\nPosixPath\n(h\x01h\x01tRq\x01" + std::string("0");
  EXPECT_NE(refusal(torch_file(paths + "h\x01")).find("a path of more than 4096 bytes"),
            std::string::npos);
}

TEST(TorchFile, DeepNestingDoesNoHarm) {
  const std::string pickle = "\x80\x02)" + std::string(1000000, '\x85') + ".";
  EXPECT_NO_THROW(parse_torch_file(testing::zip_of({{"m/data.pkl", pickle}}), "f"));
}

}  // namespace
}  // namespace scion
