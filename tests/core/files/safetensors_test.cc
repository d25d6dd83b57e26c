#include "scion/core/files/safetensors.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

std::string with_header(const std::string& header, const std::string& data = "") {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + data;
}

SafeTensors of_every_dtype() {
  SafeTensors content;
  const auto numbers = at::arange(-6, 6).reshape({3, 4});
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar})
    content.tensors.emplace_back(c10::toString(type), numbers.to(type));
  content.tensors.emplace_back("Byte", at::arange(7).to(at::kByte));
  content.tensors.emplace_back("Bool", numbers.gt(0));
  content.tensors.emplace_back("scalar", at::scalar_tensor(2.5, at::kDouble));
  content.tensors.emplace_back("empty", at::empty({0, 3}, at::kFloat));
  content.metadata = {{"format", "scion"}, {"a", "ö\n\"quoted\""}};
  return content;
}

TEST(SafeTensors, RoundTripOfEveryDtype) {
  const TemporaryFolder folder;
  const SafeTensors before = of_every_dtype();
  write_safetensors(folder / "x.safetensors", before);
  const SafeTensors after = read_safetensors(folder / "x.safetensors");
  EXPECT_EQ(after.metadata, before.metadata);
  ASSERT_EQ(after.tensors.size(), before.tensors.size());
  for (size_t i = 0; i < before.tensors.size(); ++i) {
    const auto& [name, tensor] = before.tensors[i];
    EXPECT_EQ(after.tensors[i].first, name);
    EXPECT_EQ(after.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(after.at(name).equal(tensor)) << name;
    EXPECT_TRUE(after.at(name).is_contiguous()) << name;
  }
}

TEST(SafeTensors, EqualContentEqualBytes) {
  const std::string bytes = serialise_safetensors(of_every_dtype());
  EXPECT_EQ(serialise_safetensors(parse_safetensors(bytes, "x")), bytes);
  const uint64_t header =
      static_cast<unsigned char>(bytes[0]) + 256U * static_cast<unsigned char>(bytes[1]);
  EXPECT_EQ(header % 8, 0U);
}

TEST(SafeTensors, BytesAreThoseOfTheFormat) {
  SafeTensors content;
  content.tensors.emplace_back("w", at::tensor({1, 2}, at::kShort));
  const std::string header = R"({"w":{"data_offsets":[0,4],"dtype":"I16","shape":[2]}})";
  EXPECT_EQ(
      serialise_safetensors(content),
      with_header(header + std::string(8 - header.size() % 8, ' '), std::string("\1\0\2\0", 4)));
}

TEST(SafeTensors, ViewsAreWrittenAsTheyLook) {
  const at::Tensor view = at::arange(6).reshape({2, 3}).t();
  SafeTensors content;
  content.tensors.emplace_back("view", view);
  EXPECT_TRUE(parse_safetensors(serialise_safetensors(content), "x").at("view").equal(view));
}

TEST(SafeTensors, TensorsComeInFileOrder) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                             R"("b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  const SafeTensors content = parse_safetensors(with_header(header, "xy"), "x");
  EXPECT_EQ(content.tensors[0].first, "b");
  EXPECT_EQ(content.at("a").item<int>(), 'y');
}

TEST(SafeTensors, AbsentTensorsAreNamed) {
  const SafeTensors content = of_every_dtype();
  EXPECT_TRUE(content.contains("Byte"));
  EXPECT_FALSE(content.contains("byte"));
  EXPECT_THAT(error_of<UserError>([&] { content.at("byte"); }), HasSubstr("no tensor 'byte'"));
}

TEST(SafeTensors, WhatAFileCannotHold) {
  SafeTensors complex;
  complex.tensors.emplace_back("z", at::zeros({1}, at::kComplexFloat));
  EXPECT_THAT(error_of<Failure>([&] { serialise_safetensors(complex); }), HasSubstr("'z'"));
  SafeTensors twice;
  twice.tensors = {{"w", at::zeros({1})}, {"w", at::zeros({1})}};
  EXPECT_THAT(error_of<Failure>([&] { serialise_safetensors(twice); }), HasSubstr("'w'"));
  SafeTensors not_text;
  not_text.metadata["key"] = "\xff";
  EXPECT_THAT(error_of<Failure>([&] { serialise_safetensors(not_text); }), HasSubstr("UTF-8"));
}

struct Broken {
  const char* name;
  std::string bytes;
  std::vector<std::string> message;  // parts of it
};

// A tensor of two bytes under the given fields.
std::string tensor(const std::string& fields) {
  return with_header("{\"w\":{" + fields + "}}", "ab");
}

std::vector<Broken> broken_files() {
  const std::string good = R"("dtype":"U8","shape":[2],"data_offsets":[0,2])";
  const std::string w01 = R"("w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
  return {
      {"Empty", "", {"0 bytes are too few"}},
      {"ShortLength", "1234567", {"7 bytes are too few"}},
      {"LongHeader", std::string("\xff\0\0\0\0\0\0\0{}", 10), {"length is 255 bytes", "has 10"}},
      {"HugeHeader", std::string(8, '\xff') + "{}", {"18446744073709551615"}},
      {"NoJson", with_header("{\"w\":"), {"not JSON"}},
      {"NoUtf8", with_header("{\"\xff\":{}}"), {"not JSON", "UTF-8"}},
      {"NoObject", with_header("[1]"), {"not a JSON object"}},
      {"EmptyHeader", with_header(""), {"not JSON"}},
      {"TensorIsNoObject", with_header(R"({"w":3})"), {"'w' is not described by an object"}},
      {"TwiceTheName", with_header("{" + w01 + "," + w01 + "}", "ab"), {"names \"w\" twice"}},
      {"UnknownDtype",
       tensor(R"("dtype":"F7","shape":[2],"data_offsets":[0,2])"),
       {"'w'", "unknown dtype \"F7\""}},
      {"NoDtype", tensor(R"("shape":[2],"data_offsets":[0,2])"), {"'w'", "dtype null"}},
      {"DtypeIsANumber", tensor(R"("dtype":7,"shape":[2],"data_offsets":[0,2])"), {"dtype 7"}},
      {"NoShape", tensor(R"("dtype":"U8","data_offsets":[0,2])"), {"'w' has no array 'shape'"}},
      {"NegativeSize",
       tensor(R"("dtype":"U8","shape":[-2],"data_offsets":[0,2])"),
       {"shape of tensor 'w'", "-2"}},
      {"FractionalSize", tensor(R"("dtype":"U8","shape":[2.5],"data_offsets":[0,2])"), {"2.5"}},
      {"SizeOverflow",
       tensor(R"("dtype":"U8","shape":[4294967296,4294967296,4],"data_offsets":[0,2])"),
       {"shape of tensor 'w' is too large"}},
      {"HugeSize",
       tensor(R"("dtype":"U8","shape":[18446744073709551615,0],"data_offsets":[0,0])"),
       {"too large"}},
      {"WrongByteCount",
       tensor(R"("dtype":"U8","shape":[3],"data_offsets":[0,2])"),
       {"'w' needs 3 bytes", "[0, 2]"}},
      {"OffsetsReversed", tensor(R"("dtype":"U8","shape":[2],"data_offsets":[2,0])"), {"[2, 0]"}},
      {"ThreeOffsets",
       tensor(R"("dtype":"U8","shape":[2],"data_offsets":[0,1,2])"),
       {"'w' needs two data_offsets"}},
      {"NoOffsets", tensor(R"("dtype":"U8","shape":[2])"), {"no array 'data_offsets'"}},
      {"Truncated", with_header("{" + w01 + "}", "a"), {"need 2 bytes", "holds 1", "cut short"}},
      {"TooMuchData", with_header("{" + w01 + "}", "abc"), {"need 2 bytes", "holds 3"}},
      {"Hole",
       with_header(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", "ab"),
       {"'w' begins at byte 1", "hole at byte 0"}},
      {"Overlap",
       with_header("{" + w01 + R"(,"v":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "abc"),
       {"'v' begins at byte 1", "reaches over it"}},
      {"BoolOfTwo",
       tensor(R"("dtype":"BOOL","shape":[2],"data_offsets":[0,2])"),
       {"'w' of dtype BOOL", "97 at 0"}},
      {"MetadataNoObject", with_header(R"({"__metadata__":[]})"), {"__metadata__"}},
      {"MetadataNoString", with_header(R"({"__metadata__":{"k":1}})"), {"'k' is not a string"}},
  };
}

class BrokenSafeTensors : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenSafeTensors, IsAUserErrorThatNamesFileAndPlace) {
  const std::string message =
      error_of<UserError>([&] { parse_safetensors(GetParam().bytes, "dir/model.safetensors"); });
  EXPECT_THAT(message, HasSubstr("dir/model.safetensors is not a sound safetensors file"));
  for (const std::string& part : GetParam().message) EXPECT_THAT(message, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(Table, BrokenSafeTensors, ::testing::ValuesIn(broken_files()),
                         [](const auto& info) { return std::string(info.param.name); });

// Whatever one byte turns into, the answer is tensors or a UserError.
TEST(SafeTensors, EveryCutAndEveryFlippedByteIsHandled) {
  SafeTensors content;
  content.tensors.emplace_back("w", at::arange(3).to(at::kShort));
  content.metadata["k"] = "v";
  const std::string good = serialise_safetensors(content);
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_THROW(parse_safetensors(good.substr(0, i), "x"), UserError) << i;
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      try {
        parse_safetensors(bytes, "x");
      } catch (const UserError&) {
      }
    }
  }
}

TEST(SafeTensors, APointerOfGitLfsIsNamed) {
  const TemporaryFolder folder;
  write_file(folder / "model.safetensors",
             "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
  EXPECT_THAT(message_of<UserError>([&] { read_safetensors(folder / "model.safetensors"); }),
              ::testing::HasSubstr("model.safetensors is a Git LFS pointer"));
}

TEST(SafeTensors, AMissingFileIsNamed) {
  EXPECT_THAT(error_of<UserError>([] { read_safetensors("/absent.safetensors"); }),
              HasSubstr("/absent.safetensors"));
}

}  // namespace
}  // namespace scion
