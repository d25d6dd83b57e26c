#include "scion/data/corpora/corpus.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string refusal(const fs::path& source) {
  return error_of<UserError>([&] { read_corpus(source); });
}

TEST(Corpus, SaysWhatItLookedFor) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder.path()), HasSubstr("no corpus in"));
  EXPECT_THAT(refusal(folder / "none"), HasSubstr("no such file or folder"));
}

TEST(Corpus, OfUtterancesWithOneIdTheFirstStays) {
  const TemporaryFolder folder;
  write_text(folder / "a/1.trans.txt", "1-1-1 YES\n");
  write_text(folder / "b/1.trans.txt", "1-1-1 NO\n1-1-2 SO\n");
  const Corpus corpus = read_corpus(folder.path());
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_EQ(corpus.utterances[0].text, "YES");
  ASSERT_EQ(corpus.skipped.size(), 1u);
  EXPECT_EQ(corpus.skipped[0].id, "1-1-1");
  EXPECT_THAT(corpus.skipped[0].reason, HasSubstr("comes before it"));
}

}  // namespace
}  // namespace scion
