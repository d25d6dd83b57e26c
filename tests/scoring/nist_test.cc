#include "scion/scoring/nist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/scoring/marked_text.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
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

std::vector<Transcript> ctm_transcripts(const std::string& content) {
  const std::vector<CtmChannel> channels = parse_ctm(content, "x");
  return transcripts_of(channels, files_of_several_channels(channels));
}

TEST(Nist, CtmIsPutTogetherByFileInTheOrderOfItsLines) {
  EXPECT_EQ(id_and_text(ctm_transcripts(";; comment\nu2 1 0.5 0.1 world 0.93\nu1 A 0 .25 one\n"
                                        "u2 1 0.10 0.2 hello NA\nu1 A 1 1 two\n")),
            (Pairs{{"u2", "world hello"}, {"u1", "one two"}}));
}

TEST(Nist, ChannelsOfOneFileAreUtterances) {
  EXPECT_EQ(id_and_text(ctm_transcripts("call A 0 1 hello\ncall B 0.5 1 hi\ncall A 2 1 you\n"
                                        "other 1 0 1 one\n")),
            (Pairs{{"call-A", "hello you"}, {"call-B", "hi"}, {"other", "one"}}));
}

TEST(Nist, CtmAlternatives) {
  EXPECT_EQ(id_and_text(ctm_transcripts("u 1 0 1 a\nu 1 * * <ALT_BEGIN>\nu 1 1 1 b\nu 1 2 1 c\n"
                                        "u 1 * * <ALT>\nu 1 * * <ALT_END>\nu 1 3 1 d\n")),
            (Pairs{{"u", "a { b c / @ } d"}}));
  const auto channels = parse_ctm(
      "u 1 * * <alt_begin>\nu 1 1 1 b\nu 1 * * <alt>\nu 1 2 1 c\nu 1 * * <alt_end>\n", "x");
  EXPECT_EQ(channels[0].words[0].middle, 2.5);
  const auto message = [](const std::string& content) {
    return error_of<UserError>([&] { parse_ctm(content, "f"); });
  };
  EXPECT_THAT(message("u 1 * * <ALT>\n"), HasSubstr("<alt> is out of place in line 1 of f"));
  EXPECT_THAT(message("u 1 * * <ALT_BEGIN>\nu 1 0 1 a\n"), HasSubstr("no <ALT_END>"));
  EXPECT_THAT(message("u 1 * * <ALT_BEGIN>\nu 1 0 1 a/b\n"), HasSubstr("'a/b'"));
}

// As two runs of `transcribe` on a/0001.wav and b/0001.wav leave them in one file.
TEST(Nist, RecordingsOfOneNameAreNotMerged) {
  const std::string one = "0001 1 0.1 0.4 one\n0001 1 0.6 0.4 two\n0001 1 1.5 0.4 three\n";
  EXPECT_THAT(error_of<UserError>([&] { parse_ctm(one + one, "f"); }),
              AllOf(HasSubstr("'0001'"), HasSubstr("from 1.50 to 0.10 s in line 4 of f"),
                    HasSubstr("two recordings")));
  // Lines out of order without a second word at the same time stay in their order.
  EXPECT_EQ(id_and_text(ctm_transcripts("u 1 5 0.4 b\nu 1 1 0.4 a\n")), (Pairs{{"u", "b a"}}));
}

TEST(Nist, RoundTrips) {
  const std::vector<Transcript> transcripts = {{"a-1", "the cat"}, {"b", ""}, {"c_3", "é"}};
  EXPECT_EQ(id_and_text(parse_trn(to_trn(transcripts), "x")), id_and_text(transcripts));
  const std::string ctm = to_ctm({{"a-1", {{"the", 0, 0.04}, {"cat", 1.28, 0.2}}}, {"b", {}}});
  EXPECT_EQ(ctm, "a-1 1 0.000 0.040 the\na-1 1 1.280 0.200 cat\n;; b has no words\n");
  EXPECT_EQ(id_and_text(ctm_transcripts(ctm)), (Pairs{{"a-1", "the cat"}}));
}

TEST(Nist, WordsThatLookLikeMarksAreWrittenSoThatTheyStayWords) {
  const std::string trn = to_trn({{"u", "a;b (x) @ {c} d* e\\ f/g (h i)"}});
  EXPECT_EQ(trn, "a\\;b \\(x\\) \\@ \\{c\\} d\\* e\\\\ f/g \\(h i\\) (u)\n");
  std::vector<std::string> words;
  for (const MarkedWord& word :
       parse_marked_text(parse_trn(trn, "x")[0].text, Role::hypothesis, "x"))
    words.push_back(word.word);
  EXPECT_THAT(words, ElementsAre("a;b", "(x)", "@", "{c}", "d*", "e\\", "f/g", "(h", "i)"));
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
  EXPECT_THAT(trn("a (t)\nthe { cat / dog (u)\n"), HasSubstr("'{' without '}' in line 2 of f"));
  EXPECT_THAT(error_of<UserError>([] { parse_trn("the (uh) (u)\n", "f", Role::hypothesis); }),
              HasSubstr("'(uh)' is the mark of an optional word"));
  EXPECT_THAT(trn(";; only this\n"), StartsWith("no transcripts in f"));
  EXPECT_THAT(ctm("u 1 0 1\n"), HasSubstr("4 fields in line 1"));
  EXPECT_THAT(ctm("u 1 zero 1 a\n"), HasSubstr("the start is 'zero'"));
  EXPECT_THAT(ctm("u 1 0 -1 a\n"), HasSubstr("the duration is '-1'"));
  EXPECT_THAT(ctm("u 1 nan 1 a\n"), HasSubstr("the start is 'nan'"));
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
