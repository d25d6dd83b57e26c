#include "scion/text/normalisation.h"

#include <gtest/gtest.h>

#include <string>

namespace scion {
namespace {

std::string lowered(const std::string& text) {
  return normalise_text(text, {.letter_case = LetterCase::lower});
}
std::string bare(const std::string& text) {
  return normalise_text(text, {.unicode = UnicodeForm::nfkc,
                               .letter_case = LetterCase::lower,
                               .punctuation = Punctuation::drop});
}

TEST(Normalisation, KeepsAllButWhiteSpaceByDefault) {
  for (const char* text : {"", "A, b!", "\xC3\xA4 e\xCC\x81 f\xE2\x80\x8C", "a \x01"})
    EXPECT_EQ(normalise_text(text, {}), text);
  // A tab, a no-break space, an ideographic space, a line break.
  EXPECT_EQ(normalise_text(" A\tb\xC2\xA0 \xE3\x80\x80\xC3\xA4\nc ", {}), "A b \xC3\xA4 c");
  EXPECT_EQ(normalise_text("a  b", {}), "a b");
  EXPECT_EQ(normalise_text("a b ", {}), "a b");
}

TEST(Normalisation, Case) {
  EXPECT_EQ(lowered("HE SAID \xC3\x84\xC3\x96 \xCE\xA3"), "he said \xC3\xA4\xC3\xB6 \xCF\x83");
  EXPECT_EQ(lowered("\u041F\u0420\u0418\u0412\u0406\u0422 \u0490"),  // Ukrainian
            "\u043F\u0440\u0438\u0432\u0456\u0442 \u0491");
  EXPECT_EQ(normalise_text("stra\xC3\x9F"
                           "e \xC3\xA9",
                           {.letter_case = LetterCase::upper}),
            "STRA\xE1\xBA\x9E"
            "E \xC3\x89");
}

TEST(Normalisation, Composition) {
  const std::string decomposed =
      "e\xCC\x81 \xEF\xAC\x81ve \xC2\xB2";  // e + acute, fi, superscript 2
  EXPECT_EQ(normalise_text(decomposed, {.unicode = UnicodeForm::nfc}),
            "\xC3\xA9 \xEF\xAC\x81ve \xC2\xB2");
  EXPECT_EQ(normalise_text(decomposed, {.unicode = UnicodeForm::nfkc}), "\xC3\xA9 five 2");
}

TEST(Normalisation, PunctuationBecomesSpace) {
  EXPECT_EQ(bare("He said: \"so\"."), "he said so");
  EXPECT_EQ(bare("well-known, isn't it?"), "well known isn't it");
  EXPECT_EQ(bare("It\xE2\x80\x99s 'quoted'"), "it's quoted");
  EXPECT_EQ(bare("U.S.A. \xE2\x80\x94 \xC2\xBFqu\xC3\xA9?"), "u s a qu\xC3\xA9");
  EXPECT_EQ(bare("$5 + 1"), "$5 + 1");  // symbols are no punctuation
  EXPECT_EQ(bare("...!"), "");
}

TEST(Normalisation, WhiteSpaceCollapses) {
  EXPECT_EQ(lowered("\t a \xC2\xA0 b\r\n"), "a b");
  EXPECT_EQ(lowered("  "), "");
}

TEST(Normalisation, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(lowered("A\xFF"
                    "B\xC3"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

TEST(Normalisation, TwiceIsOnce) {
  for (const char* text : {"It\xE2\x80\x99s \xEF\xAC\x81ne,  OK?", "e\xCC\x81 -- A", "'tis '90s"})
    EXPECT_EQ(bare(bare(text)), bare(text));
}

}  // namespace
}  // namespace scion
