#include "scion/data/spelling.h"

#include <gmock/gmock.h>

#include "scion/core/log_sink.h"
#include "tests/text/foreign_tokenizer.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string lines_of(const std::function<void()>& work) {
  std::string lines;
  const LogSink before = set_log_sink([&](LogLevel, std::string_view line) { lines += line; });
  work();
  set_log_sink(before);
  return lines;
}

TEST(Spelling, TextsThatComeBackAreNotMentioned) {
  const Tokenizer tokenizer = Tokenizer::train({"one two"}, {.kind = PieceKind::character});
  Spelling spelling(tokenizer);
  for (const char* text : {"one two", "one  two", "", "two"}) spelling.add(text);
  EXPECT_EQ(spelling.texts(), 4U);
  EXPECT_THAT(lines_of([&] {
                spelling.warn_of_references("test");
                spelling.warn_of_training_texts("train");
              }),
              IsEmpty());
}

TEST(Spelling, CharactersThatNoPieceCoversAreNamed) {
  const Tokenizer tokenizer = Tokenizer::train({"cafe two"}, {.kind = PieceKind::character});
  Spelling spelling(tokenizer);
  for (const char* text : {"caf\xC3\xA9", "two"}) spelling.add(text);
  EXPECT_THAT(lines_of([&] { spelling.warn_of_references("test"); }),
              HasSubstr("test: 1 reference has characters that the model cannot write, which count "
                        "as errors: \xC3\xA9"));
  spelling.add("8 two");
  EXPECT_THAT(spelling.characters(), ElementsAre("8", "\xC3\xA9"));
  EXPECT_EQ(spelling.uncovered(), 2U);
}

TEST(Spelling, TextsThatATokenizerChangesAreCountedWithAnExample) {
  const Tokenizer tokenizer = testing::case_folding_tokenizer({"five six"});
  Spelling spelling(tokenizer);
  // Zero width non-joiner inside, and a capital.
  for (const char* text : {"five", "fi\xE2\x80\x8Cve", "Six"}) spelling.add(text);
  EXPECT_EQ(spelling.changed(), 2U);
  EXPECT_THAT(lines_of([&] { spelling.warn_of_training_texts("train"); }),
              HasSubstr("train: 2 of 3 texts do not come back from the tokenizer as they are: "
                        "'fi\xE2\x80\x8Cve' → 'fi ve'"));
  EXPECT_THAT(lines_of([&] { spelling.warn_of_references("test"); }),
              HasSubstr("the tokenizer normalises text by nmt_nfkc_cf: 2 references are scored as "
                        "it writes them"));
}

}  // namespace
}  // namespace scion
