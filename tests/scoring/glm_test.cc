#include "scion/scoring/glm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

std::string rewritten(const std::string& rules, const std::string& text,
                      const std::string& form = "trn", Role role = Role::reference) {
  return apply(parse_glm(rules, "x.glm"), text, form, role);
}

TEST(Glm, TheFirstRuleThatMatchesReplaces) {
  EXPECT_EQ(rewritten("AB => X\nA => Y\n", "ABA A"), "XY Y");
  EXPECT_EQ(rewritten("[AIR LINES] => AIRLINES\n", "TWO AIR  LINES"), "TWO AIRLINES");
  EXPECT_EQ(rewritten("UM => %HES / [ ] __ [ ]\n", "UM UM UMBRELLA"), "%HES %HES UMBRELLA");
  EXPECT_EQ(rewritten("Falkner => Faulkner / [William ] __\n", "William Falkner , Falkner"),
            "William Faulkner , Falkner");
  EXPECT_EQ(rewritten("'CAUSE => BECAUSE ;; per AHD\n", "'CAUSE a"), "BECAUSE a");
  EXPECT_EQ(rewritten("/SLASH => SLASH\n", "/SLASH"), "SLASH");
  EXPECT_EQ(rewritten("UM => [] / [ ] __ [ ]\n", "a UM b"), "a  b");
}

TEST(Glm, LetterCaseCountsUnlessTheRulesSayOtherwise) {
  EXPECT_EQ(rewritten("UM => HES\n", "um"), "um");
  EXPECT_EQ(rewritten("* case_sensitive = 'F'\nUM => HES\n", "um"), "HES");
}

TEST(Glm, RulesForSomeInputs) {
  const std::string rules = "A => B\n;; INPUT_DEPENDENT_APPLICATION = \"ctm|hyp\"\nC => D\n";
  EXPECT_EQ(rewritten(rules, "A C", "stm"), "B C");
  EXPECT_EQ(rewritten(rules, "A C", "ctm"), "B D");
  EXPECT_EQ(rewritten(rules, "A C", "trn", Role::hypothesis), "B D");
}

TEST(Glm, TextsWithoutMarksKeepTheirCharacters) {
  std::vector<Transcript> transcripts = {{"u", "a;b (um) UM"}};
  apply(parse_glm("UM => {UH / UM} / [ ] __ [ ]\n", "x"), "txt", Role::hypothesis, transcripts);
  EXPECT_EQ(transcripts[0].text, "a\\;b \\(um\\) {UH / UM}");
  EXPECT_TRUE(transcripts[0].marked);
}

TEST(Glm, EscapedMarksOfAMarkedTextStayCharacters) {
  std::vector<Transcript> transcripts = {{"u", "\\(um\\) {yes / no} a\\{"}};
  transcripts[0].marked = true;
  apply(parse_glm("UM => UH\n", "x"), "trn", Role::reference, transcripts);
  EXPECT_EQ(transcripts[0].text, "\\(um\\) { yes / no } a\\{");
}

TEST(Glm, BadLinesAreNamed) {
  const auto message = [](const std::string& rules) {
    return error_of<UserError>([&] { parse_glm(rules, "f"); });
  };
  EXPECT_THAT(message("A => B\nno arrow\n"), HasSubstr("no '=>' in line 2 of f"));
  EXPECT_THAT(message(" => B\n"), HasSubstr("nothing before '=>'"));
  EXPECT_THAT(message("* copy_no_hit = 'F'\nA => B\n"), HasSubstr("copy_no_hit"));
  EXPECT_THAT(message(";; INPUT_DEPENDENT_APPLICATION = \"c.*\"\nA => B\n"), HasSubstr("'c.*'"));
  EXPECT_THAT(message(";; nothing\n"), HasSubstr("no rules in f"));
}

}  // namespace
}  // namespace scion
