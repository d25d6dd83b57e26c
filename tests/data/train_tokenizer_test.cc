#include "scion/data/train_tokenizer.h"

#include <gtest/gtest.h>

#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

TEST(TrainTokenizer, PiecesAreOfNormalisedTexts) {
  const TemporaryFolder folder;
  const std::vector<Utterance> utterances = {
      {.id = "a", .audio = folder / "a.wav", .seconds = 1, .text = "AbC"}};
  write_manifest(folder / "m.jsonl", utterances);
  const Tokenizer lower =
      train_tokenizer({(folder / "m.jsonl").string()}, {.letter_case = LetterCase::lower},
                      {.kind = PieceKind::character});
  EXPECT_TRUE(lower.uncovered("abc").empty());
  EXPECT_FALSE(lower.uncovered("AbC").empty());
  // Given utterances are taken as they are.
  const Tokenizer raw = train_tokenizer(utterances, {.kind = PieceKind::character});
  EXPECT_TRUE(raw.uncovered("AbC").empty());
}

}  // namespace
}  // namespace scion
