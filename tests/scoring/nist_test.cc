#include "scion/scoring/nist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::pair<std::string, std::string>> id_and_text(const std::vector<Transcript>& all) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Transcript& transcript : all) pairs.emplace_back(transcript.id, transcript.text);
  return pairs;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Nist, ReadsTrn) {
  EXPECT_EQ(
      id_and_text(parse_trn(";; a comment\nthe cat\tsat (spk-1)\r\n\n(spk-2)\na b(c)\n", "x")),
      (Pairs{{"spk-1", "the cat sat"}, {"spk-2", ""}, {"c", "a b"}}));
}

TEST(Nist, CtmIsPutTogetherByFileInTheOrderOfStarts) {
  EXPECT_EQ(id_and_text(parse_ctm(";; comment\nu2 1 0.5 0.1 world 0.93\nu1 A 0 .25 one\n"
                                  "u2 1 0.10 0.2 hello NA\nu1 A 1 1 two\n",
                                  "x")),
            (Pairs{{"u2", "hello world"}, {"u1", "one two"}}));
}

TEST(Nist, RoundTrips) {
  const std::vector<Transcript> transcripts = {{"a-1", "the cat"}, {"b", ""}, {"c_3", "é"}};
  EXPECT_EQ(id_and_text(parse_trn(to_trn(transcripts), "x")), id_and_text(transcripts));
  const std::string ctm = to_ctm({{"a-1", {{"the", 0, 0.04}, {"cat", 1.28, 0.2}}}, {"b", {}}});
  EXPECT_EQ(ctm, "a-1 1 0.000 0.040 the\na-1 1 1.280 0.200 cat\n;; b has no words\n");
  EXPECT_EQ(id_and_text(parse_ctm(ctm, "x")), (Pairs{{"a-1", "the cat"}}));
}

TEST(Nist, TheExtensionOrTheOptionDecides) {
  const TemporaryFolder folder;
  write_file(folder / "a.trn", "one two (u)\n");
  write_file(folder / "a.ctm", "u 1 0 1 one\nu 1 1 1 two\n");
  write_file(folder / "a.txt", "u one two\n");
  write_file(folder / "b.txt", "one two (u)\n");
  write_file(folder / "a.stm", "u 1 s 0 1 one two\n");
  const Pairs expected = {{"u", "one two"}};
  for (const char* name : {"a.trn", "a.ctm", "a.txt"})
    EXPECT_EQ(id_and_text(read_transcripts(folder / name, Role::reference)), expected) << name;
  EXPECT_EQ(id_and_text(read_transcripts(folder / "b.txt", Role::reference, "trn")), expected);
  EXPECT_THAT(error_of<UserError>([&] { read_transcripts(folder / "a.stm", Role::reference); }),
              HasSubstr(".trn"));
}

TEST(Nist, BadLinesAreNamed) {
  const auto trn = [](const char* text) {
    return error_of<UserError>([&] { parse_trn(text, "f"); });
  };
  const auto ctm = [](const char* text) {
    return error_of<UserError>([&] { parse_ctm(text, "f"); });
  };
  EXPECT_THAT(trn("a (u)\nno id\n"), AllOf(HasSubstr("line 2 of f"), HasSubstr("(id)")));
  EXPECT_THAT(trn("a ()\n"), HasSubstr("line 1"));
  EXPECT_THAT(trn("a (u)\nb (u)\n"), HasSubstr("'u' occurs again in line 2"));
  EXPECT_THAT(trn("the { cat / dog } (u)\n"), HasSubstr("alternatives"));
  EXPECT_THAT(trn("the @ (u)\n"), HasSubstr("'@'"));
  EXPECT_THAT(trn("the (uh) (u)\n"), HasSubstr("'(uh)'"));
  EXPECT_THAT(trn(";; only this\n"), StartsWith("no transcripts in f"));
  EXPECT_THAT(ctm("u 1 0 1\n"), HasSubstr("4 fields in line 1"));
  EXPECT_THAT(ctm("u 1 zero 1 a\n"), HasSubstr("the start is 'zero'"));
  EXPECT_THAT(ctm("u 1 0 -1 a\n"), HasSubstr("the duration is '-1'"));
  EXPECT_THAT(ctm("u 1 0 1 a\nu 2 1 1 b\n"), HasSubstr("channels 1 and 2 in line 2"));
  EXPECT_THAT(ctm("u 1 0 1 <ALT_BEGIN>\n"), HasSubstr("alternatives"));
  EXPECT_THAT(ctm(""), StartsWith("no transcripts"));
  EXPECT_THAT(error_of<UserError>([] { to_trn({{"an id", "a"}}); }), HasSubstr("'an id'"));
  EXPECT_THAT(error_of<UserError>([] { to_trn({{"u1", ";; a"}}); }), HasSubstr("'u1'"));
  EXPECT_THAT(error_of<UserError>([] {
                to_trn({{"u1",
                         "\xEF\xBB\xBF"
                         "a"}});
              }),
              HasSubstr("'u1'"));
  EXPECT_THAT(error_of<UserError>([] { to_ctm({{"(x)", {}}}); }), HasSubstr("'(x)'"));
}

}  // namespace
}  // namespace scion
