#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/corpora/readers/readers.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CommonVoice, ReadsATable) {
  const TemporaryFolder folder;
  write_text(folder / "train.tsv",
             "client_id\tpath\tup_votes\tsentence\r\n"
             "s1\tc_1.mp3\t2\tHe said: \"so\".\r\ns2\tc_2.mp3\t2\tZwölf\r\n");
  const Corpus corpus = read_common_voice(folder / "train.tsv");
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_EQ(corpus.utterances[0].id, "c_1");
  EXPECT_EQ(corpus.utterances[0].audio, folder / "clips/c_1.mp3");
  EXPECT_EQ(corpus.utterances[0].text, "He said: \"so\".");
  EXPECT_EQ(corpus.utterances[1].speaker, "s2");
  write_text(folder / "bad.tsv", "client_id\tsentence\na\tb\n");
  EXPECT_THAT(error_of<UserError>([&] { read_common_voice(folder / "bad.tsv"); }),
              HasSubstr("has no column 'path'"));
}

TEST(CommonVoice, ATableWithoutClipsIsRefused) {
  const TemporaryFolder folder;
  write_text(folder / "dev.tsv", "client_id\tpath\tsentence\n");
  EXPECT_THAT(error_of<UserError>([&] { read_common_voice(folder / "dev.tsv"); }),
              HasSubstr((folder / "dev.tsv").string()));
}

TEST(CommonVoice, ALineThatLacksColumnsIsSkipped) {
  const TemporaryFolder folder;
  write_text(folder / "t.tsv",
             "\xEF\xBB\xBF"
             "client_id\tpath\tsentence\na\tb\na\tc.mp3\td\n");
  const Corpus corpus = read_common_voice(folder / "t.tsv");
  ASSERT_EQ(corpus.utterances.size(), 1u);
  ASSERT_EQ(corpus.skipped.size(), 1u);
  EXPECT_THAT(corpus.skipped[0].id, HasSubstr("t.tsv:2"));
  EXPECT_EQ(corpus.skipped[0].reason, "2 columns of 3");
}

TEST(CommonVoice, TheQuotesOfCsvAreUndoneAndOthersKept) {
  const TemporaryFolder folder;
  write_text(folder / "t.tsv",
             "client_id\tpath\tsentence\n"
             "s\ta.mp3\t\"\"\"Thank you,\"\" said she.\"\n"
             "s\tb.mp3\t\"So\" and \"so\"\n"
             "s\tc.mp3\t\"open\n"
             "s\td.mp3\t\"\n"
             "s\te.mp3\tplain\n");
  const Corpus corpus = read_common_voice(folder / "t.tsv");
  std::vector<std::string> texts;
  for (const Utterance& utterance : corpus.utterances) texts.push_back(utterance.text);
  EXPECT_THAT(
      texts, ElementsAre("\"Thank you,\" said she.", "\"So\" and \"so\"", "\"open", "\"", "plain"));
  EXPECT_THAT(corpus.remarks, ElementsAre(HasSubstr("1 sentences were quoted")));
}

}  // namespace
}  // namespace scion
