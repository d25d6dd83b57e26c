#include "scion/core/files/json_lines.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(JsonLines, PythonsNumbersAreNullOutsideStrings) {
  const json object = parse_json_object(
      R"({"a": NaN, "b": [Infinity, -Infinity, 1], "c": "NaN \"NaN", "NaN": "Infinity"})", "x:1");
  EXPECT_EQ(
      object,
      json::parse(R"({"a": null, "b": [null, null, 1], "c": "NaN \"NaN", "NaN": "Infinity"})"));
}

TEST(JsonLines, AForeignLineThatIsNoObjectIsNamed) {
  const auto refusal = [](const std::string& line) {
    return error_of<UserError>([&] { parse_json_object(line, "m.jsonl:7"); });
  };
  EXPECT_THAT(refusal("{\"a\": "), HasSubstr("m.jsonl:7: broken JSON: parse error"));
  EXPECT_THAT(refusal("{\"a\": 1e999}"), HasSubstr("m.jsonl:7: broken JSON"));
  EXPECT_THAT(refusal("[1]"), HasSubstr("m.jsonl:7: not a JSON object"));
  EXPECT_THAT(refusal("{\"a\": \"\xe9\"}"), HasSubstr("m.jsonl:7: not UTF-8"));
  EXPECT_THAT(refusal("NaN"), HasSubstr("not a JSON object"));
}

TEST(JsonLines, LinesThatACrashCutShortAreSkipped) {
  const TemporaryFolder folder;
  write_file(folder / "a.jsonl", "{\"x\": 1}\n{\"x\":\n[2]\n{\"x\": 3}\n{\"x\"");
  const std::vector<json> lines = read_json_lines(folder / "a.jsonl");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].at("x"), 3);
  EXPECT_TRUE(read_json_lines(folder / "missing.jsonl").empty());
}

TEST(JsonLines, TheLastLineIsTheLastWholeOne) {
  const TemporaryFolder folder;
  EXPECT_TRUE(last_json_line(folder / "missing.jsonl").is_null());
  write_file(folder / "a.jsonl", "{\"x\": 1}");
  EXPECT_TRUE(last_json_line(folder / "a.jsonl").is_null());
  write_file(folder / "a.jsonl", "{\"x\": 1}\n");
  EXPECT_EQ(last_json_line(folder / "a.jsonl").at("x"), 1);
  write_file(folder / "a.jsonl", "{\"x\": 1}\n{\"x\": 2}\n{\"x\":");
  EXPECT_EQ(last_json_line(folder / "a.jsonl").at("x"), 2);
}

TEST(JsonLines, KeptLinesKeepTheirBytes) {
  const TemporaryFolder folder;
  write_file(folder / "a.jsonl", "{\"x\":  1}\n{\"x\": 2}\n{\"x\": 3}\n{\"x\"");
  keep_lines(folder / "a.jsonl", [](const json& line) { return line.at("x") != 2; });
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"x\":  1}\n{\"x\": 3}\n");
}

}  // namespace
}  // namespace scion
