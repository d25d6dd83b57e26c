#include "scion/text/tokenizer.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/text/foreign_tokenizer.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> some_texts() {
  std::vector<std::string> texts;
  for (const char* first : {"the quick brown fox", "a lazy dog", "five boxing wizards"})
    for (const char* second : {"jumps over", "sleeps beside", "quickly left"})
      for (const char* third : {"my vexed jumping friends", "the big sphinx of quartz", "zebras"})
        texts.push_back(std::string(first) + " " + second + " " + third);
  return texts;
}

TokenizerConfig kind(const std::string& name, int64_t vocabulary = 40) {
  return {enum_of<PieceKind>(name).value(), vocabulary};
}

TEST(Tokenizer, CharactersComeFromTheText) {
  const Tokenizer tokenizer = Tokenizer::train({"ab ba", "a c", "ddd"}, kind("char"));
  EXPECT_EQ(tokenizer.size(), 2 + 5);
  EXPECT_EQ(tokenizer.piece(0), "<blk>");
  EXPECT_EQ(tokenizer.piece(1), "<unk>");
  EXPECT_EQ(tokenizer.encode("a b").size(), 3u);  // no space before the first word
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
  EXPECT_THROW(tokenizer.piece(7), std::out_of_range);
}

TEST(Tokenizer, RareCharactersAreKept) {
  std::vector<std::string> texts(5000, "aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbb");
  texts.push_back("q");
  for (const char* name : {"char", "bpe"}) {
    const Tokenizer tokenizer = Tokenizer::train(texts, kind(name, 12));
    EXPECT_THAT(tokenizer.uncovered("a q b"), IsEmpty()) << name;
  }
}

TEST(Tokenizer, DecodeInvertsEncode) {
  for (const char* name : {"char", "bpe", "unigram"}) {
    const Tokenizer tokenizer = Tokenizer::train(some_texts(), kind(name));
    if (std::string(name) != "char") {
      EXPECT_EQ(tokenizer.size(), 40) << name;
    }
    for (const std::string& text : some_texts()) {
      const std::vector<int64_t> tokens = tokenizer.encode(text);
      EXPECT_EQ(tokenizer.decode(tokens), text) << name;
      for (const int64_t token : tokens) EXPECT_GT(token, 1) << name;
    }
  }
}

TEST(Tokenizer, TrainingTwiceGivesTheSameBytes) {
  for (const char* name : {"char", "bpe", "unigram"})
    EXPECT_EQ(Tokenizer::train(some_texts(), kind(name)).serialised(),
              Tokenizer::train(some_texts(), kind(name)).serialised())
        << name;
}

TEST(Tokenizer, TrainingIsQuiet) {
  ::testing::internal::CaptureStderr();
  Tokenizer::train(some_texts(), kind("bpe"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Tokenizer, NamesCharactersThatNoPieceCovers) {
  const Tokenizer tokenizer = Tokenizer::train({"abc", "a b"}, kind("char"));
  EXPECT_THAT(tokenizer.uncovered("abc a"), IsEmpty());
  EXPECT_THAT(tokenizer.uncovered("xa ÄÄy xb"), ElementsAre("x", "Ä", "y"));
  EXPECT_THAT(tokenizer.encode("axyb"), ::testing::Contains(1));
}

TEST(Tokenizer, TextCannotNameTheBlank) {
  const Tokenizer tokenizer = Tokenizer::train({"a <blk> b", "blk <>"}, kind("char"));
  EXPECT_THAT(tokenizer.encode("a <blk> b"), ::testing::Not(::testing::Contains(0)));
  EXPECT_EQ(tokenizer.decode({tokenizer.encode("a")[0], 0, 0, tokenizer.encode("b")[0]}), "ab");
}

TEST(Tokenizer, LongTextsAreNotDropped) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "word ";
  EXPECT_THAT(Tokenizer::train({text + "z"}, kind("char")).uncovered("z"), IsEmpty());
}

// A field of a protocol buffer message.
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

// A character model with these pieces and their types (SentencePiece.Type), and no space before a
// text.
std::string sentencepiece_model(const std::vector<std::pair<std::string, int>>& pieces,
                                const std::string& normaliser = std::string("\x18\0", 2)) {
  std::string model;
  for (const auto& [piece, type] : pieces)
    model +=
        field(1, field(1, piece) + std::string("\x15\0\0\0\0\x18", 6) + static_cast<char>(type));
  return model + field(2, "\x18\x04") + field(3, normaliser);
}

TEST(Tokenizer, ItsFirstPieceIsNoneThatTextsContain) {
  const int normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5;
  const auto with_first = [&](const std::string& piece, int type) {
    return Tokenizer(sentencepiece_model({{piece, type}, {"<unk>", unknown}, {"a", normal}}), "X");
  };
  for (const int type : {control, user_defined, unused})
    EXPECT_EQ(with_first("<blk>", type).encode("a"), std::vector<int64_t>{2}) << type;
  EXPECT_EQ(Tokenizer(sentencepiece_model({{"<unk>", unknown}, {"a", normal}})).size(), 2);
  for (const int type : {normal, user_defined})
    EXPECT_THAT(error_of<UserError>([&] { with_first("t", type); }),
                HasSubstr("X: piece 0 is 't', which texts contain; scion's blank is piece 0"));
}

TEST(Tokenizer, ThoseTrainedHereLeaveTextsAsTheyAre) {
  // Zero width non-joiner, an e with an accent beside it, the ligature fi, a full-width A.
  const std::vector<std::string> texts = {"fi\xE2\x80\x8Cve", "e\xCC\x81", "\xEF\xAC\x81",
                                          "\xEF\xBC\xA1 b"};
  for (const char* name : {"char", "bpe", "unigram"}) {
    const Tokenizer tokenizer = Tokenizer::train(texts, kind(name, 12));
    EXPECT_EQ(tokenizer.normaliser(), "") << name;
    for (const std::string& text : texts) {
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text) << name;
      EXPECT_TRUE(tokenizer.restores(text));
      EXPECT_EQ(tokenizer.spelled(text), text);
    }
  }
}

TEST(Tokenizer, SpellsATextByItsOwnRules) {
  const Tokenizer tokenizer = testing::case_folding_tokenizer({"five six", "caf\xC3\xA9"});
  EXPECT_EQ(tokenizer.normaliser(), "nmt_nfkc_cf");
  EXPECT_EQ(tokenizer.spelled("FI\xE2\x80\x8CVE  Cafe\xCC\x81 q"), "fi ve caf\xC3\xA9 q");
  EXPECT_FALSE(tokenizer.restores("Five"));
  EXPECT_TRUE(tokenizer.restores("five  six"));
}

TEST(Tokenizer, TheFirstPieceThatDiffersIsNamed) {
  const Tokenizer one = Tokenizer::train({"aab"}, kind("char"));
  const Tokenizer other = Tokenizer::train({"bba"}, kind("char"));
  EXPECT_EQ(piece_difference(one, "A", one, "B"), "");
  EXPECT_EQ(piece_difference(one, "A", other, "B"), "piece 2 is 'a' in A and 'b' in B");
  EXPECT_EQ(piece_difference(one, "A", Tokenizer::train({"aaabbc"}, kind("char")), "B"),
            "A has 4 pieces, B 5");
}

TEST(Tokenizer, SurvivesItsFile) {
  const TemporaryFolder folder;
  const Tokenizer tokenizer = Tokenizer::train(some_texts(), kind("bpe"));
  write_file(folder / "tokenizer.model", tokenizer.serialised());
  const Tokenizer loaded = Tokenizer::load(folder / "tokenizer.model");
  EXPECT_EQ(loaded.encode("a lazy fox"), tokenizer.encode("a lazy fox"));
}

TEST(Tokenizer, APointerOfGitLfsIsNamed) {
  const TemporaryFolder folder;
  write_file(folder / "tokenizer.model",
             "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
  EXPECT_THAT(error_of<UserError>([&] { Tokenizer::load(folder / "tokenizer.model"); }),
              ::testing::HasSubstr("is a Git LFS pointer"));
}

TEST(Tokenizer, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  write_file(folder / "broken.model", "this is no model");
  EXPECT_THAT(error_of<UserError>([&] { Tokenizer::load(folder / "broken.model"); }),
              HasSubstr("broken.model is not a SentencePiece model"));
  EXPECT_THROW(Tokenizer::load(folder / "none.model"), UserError);
  // Well-formed, with a piece that begins with a zero: SentencePiece itself throws. Found by
  // fuzzing.
  const std::string zero{
      "\x0a\x0e\x0a\x05<blk>\x15\0\0\0\0\x18\x03\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0\x18"
      "\x02\x0a\x0a\x0a\x03\0Q\x81\x15\0\0\0\0\x12\0",
      46};
  EXPECT_THROW(Tokenizer{zero}, UserError);
  const std::string too_many = error_of<UserError>([] {
    Tokenizer::train({"a b", "b a"}, kind("bpe", 500));
  });
  EXPECT_THAT(too_many, HasSubstr("cannot train a bpe tokenizer of 500 pieces on 2 texts: Vocab"));
  EXPECT_THROW(Tokenizer::train({}, kind("char")), UserError);
}

}  // namespace
}  // namespace scion
