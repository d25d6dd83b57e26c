#include "scion/core/files/text_lines.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> lines_of(const fs::path& path) {
  TextLines lines(path);
  std::vector<std::string> found;
  for (std::string line; lines.next(line);) found.push_back(line);
  return found;
}

std::string lines_refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  write_file(folder / "list", bytes);
  const std::string refusal = error_of<UserError>([&] { lines_of(folder / "list"); });
  EXPECT_EQ(error_of<UserError>([&] { read_text(folder / "list"); }), refusal);
  return refusal;
}

TEST(TextLines, ByteOrderMarkAndLineEndsAreNoPartOfTheText) {
  const TemporaryFolder folder;
  write_file(folder / "a", "\xEF\xBB\xBFone\r\n\r\ntwo é\nthree");
  EXPECT_THAT(lines_of(folder / "a"), ElementsAre("one", "", "two é", "three"));
  EXPECT_EQ(read_text(folder / "a"), "one\r\n\r\ntwo é\nthree");
  write_file(folder / "b", "");
  EXPECT_THAT(lines_of(folder / "b"), ElementsAre());
  write_file(folder / "c", "\n");
  EXPECT_THAT(lines_of(folder / "c"), ElementsAre(""));
}

TEST(TextLines, LinesAreWholeAcrossBlocksAlsoGzipped) {
  const TemporaryFolder folder;
  std::string text;
  std::vector<std::string> expected;
  for (size_t i = 0; i < 40; ++i)
    expected.push_back(std::string(i * 1000, char('a' + i % 26)) + "é");
  for (const std::string& line : expected) text += line + "\n";
  write_file(folder / "plain", text);
  EXPECT_EQ(lines_of(folder / "plain"), expected);
  gzFile file = gzopen((folder / "packed").c_str(), "wb");
  gzwrite(file, text.data(), unsigned(text.size()));
  gzclose(file);
  EXPECT_EQ(lines_of(folder / "packed"), expected);
  const std::string packed = read_file(folder / "packed");
  write_file(folder / "packed", packed.substr(0, packed.size() / 2));
  EXPECT_THAT(error_of<UserError>([&] { lines_of(folder / "packed"); }),
              HasSubstr("cut short or broken"));
}

TEST(TextLines, WhatIsNotUtf8IsNamedWithItsLine) {
  EXPECT_THAT(lines_refusal("one\ncaf\xe9\n"),
              AllOf(HasSubstr("list:2: not UTF-8 from byte 4 on: caf\\xe9"), HasSubstr("iconv")));
  EXPECT_THAT(lines_refusal("\xFF\xFEo\0n\0"s), HasSubstr("list is UTF-16"));
  EXPECT_THAT(lines_refusal("\xFE\xFF\0o\0n"s), HasSubstr("iconv -f utf16"));
  EXPECT_THAT(lines_refusal("o\0n\0e\0\n\0"s), HasSubstr("list:1: a byte 0"));
}

TEST(TextLines, AGitLfsPointerIsNotTheFile) {
  EXPECT_THAT(lines_refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"),
              AllOf(HasSubstr("a Git LFS pointer"), HasSubstr("git lfs pull")));
}

TEST(TextLines, AFileThatCannotBeReadIsNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<UserError>([&] { lines_of(folder / "none"); }), HasSubstr("none: No such"));
  EXPECT_THAT(error_of<UserError>([&] { lines_of(folder.path()); }), HasSubstr("s a directory"));
}

}  // namespace
}  // namespace scion
