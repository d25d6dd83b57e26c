#include "scion/core/files/protobuf.h"

#include <gtest/gtest.h>

namespace scion::protobuf {
namespace {

TEST(Protobuf, EncodesAsTheSpecificationsExamples) {
  EXPECT_EQ(varint(150), "\x96\x01");
  EXPECT_EQ(integer_field(1, 150), "\x08\x96\x01");
  EXPECT_EQ(bytes_field(2, "testing"), "\x12\x07testing");
  EXPECT_EQ(float_field(1, 1), std::string("\x0d\x00\x00\x80\x3f", 5));
}

TEST(Protobuf, FindsAnIntegerBetweenOtherFields) {
  const std::string message =
      double_field(1, 2.5) + bytes_field(3, "abc") + float_field(4, 1) + integer_field(2, 1000000);
  EXPECT_EQ(find_integer(message, 2), 1000000);
  EXPECT_EQ(find_integer(message, 5), 0);
  EXPECT_EQ(find_integer(message.substr(0, message.size() - 1), 2), 0);
}

TEST(Protobuf, AVarintThatIsCutShortIsNone) {
  std::string_view bytes = "\x96";
  EXPECT_FALSE(take_varint(bytes));
}

}  // namespace
}  // namespace scion::protobuf
