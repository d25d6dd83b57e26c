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

using ::testing::HasSubstr;

TEST(LibriSpeech, ReadsATree) {
  const TemporaryFolder folder;
  write_text(folder / "20/7/20-7.trans.txt", "20-7-0001 HE SAID SO\n20-7-0000 IT IS\r\n\n");
  write_text(folder / "3/1/3-1.trans.txt", "3-1-0000 YES\n3-1-0001\n");
  write_text(folder / "20/7/20-7-0000.opus", "x");
  write_text(folder / "20/7/20-7-0001.flac", "x");
  write_text(folder / "3/1/3-1-0000.wav", "x");
  const std::vector<Utterance> utterances = read_librispeech(folder.path()).utterances;
  ASSERT_EQ(utterances.size(), 4u);
  EXPECT_EQ(utterances[0].id, "20-7-0000");
  EXPECT_EQ(utterances[0].text, "IT IS");
  EXPECT_EQ(utterances[0].speaker, "20");
  EXPECT_EQ(utterances[0].audio, folder / "20/7/20-7-0000.opus");
  EXPECT_EQ(utterances[1].audio, folder / "20/7/20-7-0001.flac");
  EXPECT_EQ(utterances[2].audio, folder / "3/1/3-1-0000.wav");
  EXPECT_EQ(utterances[3].text, "");
}

TEST(LibriSpeech, Faults) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<UserError>([&] { read_librispeech(folder / "none"); }),
              HasSubstr("no such folder"));
  EXPECT_THAT(error_of<UserError>([&] { read_librispeech(folder.path()); }),
              HasSubstr("no transcript"));
  write_text(folder / "1-1.trans.txt", "1-1-0 yes\n1-1-1 caf\xe9\n");
  EXPECT_THAT(error_of<UserError>([&] { read_librispeech(folder.path()); }),
              HasSubstr("1-1.trans.txt:2: not UTF-8"));
}

TEST(LibriSpeech, ByteOrderMarksTabsAndHiddenFilesDoNotMatter) {
  const TemporaryFolder folder;
  write_text(folder / "1/2/1-2.trans.txt",
             "\xEF\xBB\xBF"
             "1-2-0000\tYES  SIR \r\n  1-2-0001 NO\n");
  write_text(folder / "1/2/._1-2.trans.txt", std::string("\0\5\x16\7", 4));
  fs::create_directory_symlink(folder.path(), folder / "1/up");
  fs::create_directory_symlink(folder.path(), folder / "1/2/up");
  const std::vector<Utterance> utterances = read_librispeech(folder.path()).utterances;
  ASSERT_EQ(utterances.size(), 2u);
  EXPECT_EQ(utterances[0].id, "1-2-0000");
  EXPECT_EQ(utterances[0].text, "YES  SIR");
  EXPECT_EQ(utterances[0].audio, folder / "1/2/1-2-0000.flac");
  EXPECT_EQ(utterances[1].id, "1-2-0001");
}

}  // namespace
}  // namespace scion
