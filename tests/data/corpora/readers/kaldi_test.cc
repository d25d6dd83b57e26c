#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/corpora/readers/readers.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/core/working_directory.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Kaldi, ReadsADirectory) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "a-2  /abs/a 2.wav\na-1 here.flac \nb-1 b.wav\nc c.wav\n");
  write_text(folder / "here.flac", "x");
  write_text(folder / "text", "a-1 one two \na-2\t three\nb-1\nz nobody said it\n");
  write_text(folder / "utt2spk", "a-1 a\na-2 a\n");
  const Corpus corpus = read_kaldi(folder.path());
  ASSERT_EQ(corpus.utterances.size(), 3u);
  EXPECT_EQ(corpus.utterances[0].id, "a-2");
  EXPECT_EQ(corpus.utterances[0].audio, "/abs/a 2.wav");
  EXPECT_EQ(corpus.utterances[0].text, "three");
  EXPECT_EQ(corpus.utterances[1].audio, folder / "here.flac");
  EXPECT_EQ(corpus.utterances[1].text, "one two");
  EXPECT_EQ(corpus.utterances[1].speaker, "a");
  EXPECT_EQ(corpus.utterances[2].text, "");
  EXPECT_EQ(corpus.utterances[2].speaker, "");
  EXPECT_FALSE(corpus.utterances[2].part.is_segment());
  ASSERT_EQ(corpus.skipped.size(), 2u);
  EXPECT_EQ(corpus.skipped[0].id, "c");
  EXPECT_THAT(corpus.skipped[0].reason, HasSubstr("not in 'text'"));
  EXPECT_EQ(corpus.skipped[1].id, "z");
  EXPECT_THAT(corpus.skipped[1].reason, HasSubstr("has no audio"));
}

TEST(Kaldi, AFileNameThatNoSystemTakesIsNotThere) {
  const TemporaryFolder folder;
  const std::string name(5000, 'x');
  write_text(folder / "wav.scp", "a-1 " + name + "\n");
  write_text(folder / "text", "a-1 one\n");
  EXPECT_EQ(read_kaldi(folder.path()).utterances.at(0).audio, folder / name);
}

TEST(Kaldi, ReadsSegments) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "call /abs/call.wav\n");
  write_text(folder / "segments", "u1 call 0.5 2.25\nu2 call 3 -1\nu3 other 0 1\n");
  write_text(folder / "text", "u1 yes\nu2 no\nu3 lost\n");
  const Corpus corpus = read_kaldi(folder.path());
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_EQ(corpus.utterances[0].part, (AudioPart{0.5, 1.75, -1}));
  EXPECT_EQ(corpus.utterances[1].part, (AudioPart{3, 0, -1}));
  ASSERT_EQ(corpus.skipped.size(), 1u);  // once, although it is in 'text', too
  EXPECT_THAT(corpus.skipped[0].reason, HasSubstr("'other' is not in wav.scp"));
}

/// The reasons of what is skipped, as "id: reason".
std::vector<std::string> kaldi_skips(const std::string& scp, const std::string& segments) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", scp);
  write_text(folder / "text", "u yes\ngood yes\n");
  if (!segments.empty()) write_text(folder / "segments", segments);
  std::vector<std::string> reasons;
  for (const Skipped& one : read_kaldi(folder.path()).skipped)
    reasons.push_back(one.id + ": " + one.reason + " | " + one.hint);
  return reasons;
}

std::string kaldi_refusal(const std::string& name, const std::string& content) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "r /abs/r.wav\n");
  write_text(folder / "text", "u yes\n");
  write_text(folder / "segments", "u r 0 1\n");
  write_text(folder / name, content);
  return error_of<UserError>([&] { read_kaldi(folder.path()); });
}

TEST(Kaldi, OneBadLineIsSkippedWithItsReason) {
  EXPECT_THAT(kaldi_skips("good a.wav\nu sox a.wav -t wav - speed 2 |\n", ""),
              ElementsAre(AllOf(HasSubstr("u: its audio comes from a command: sox"),
                                HasSubstr("wav-copy"))));
  EXPECT_THAT(kaldi_skips("good a.wav\nu data/raw.ark:1234\n", ""),
              ElementsAre(HasSubstr("u: its audio lies in an archive")));
  EXPECT_THAT(kaldi_skips("good a.wav\nu\n", ""), ElementsAre(HasSubstr("u: no path")));
  EXPECT_THAT(kaldi_skips("good a.wav\nu a\nu b\n", ""),
              ElementsAre(HasSubstr("u: a duplicate in wav.scp: line 3, first in line 2")));
  const std::string good = "good r 0 1\n";
  EXPECT_THAT(kaldi_skips("r a.wav\n", good + "u r 1\n"), ElementsAre(HasSubstr("u: fields")));
  EXPECT_THAT(kaldi_skips("r a.wav\n", good + "u r 1 x\n"),
              ElementsAre(HasSubstr("u: 'x' is no time")));
  EXPECT_THAT(kaldi_skips("r a.wav\n", good + "u r 2 1\n"),
              ElementsAre(AllOf(HasSubstr("u: a segment from 2 s to 1 s"),
                                HasSubstr("its end must come after"))));
  EXPECT_THAT(kaldi_skips("r a.wav\n", good + "u r -0.02 1\n"),
              ElementsAre(AllOf(HasSubstr("begins at -0.02 s"), HasSubstr("at 0 or later"))));
}

TEST(Kaldi, TheFifthColumnOfSegmentsIsTheChannel) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "call /abs/call.wav\n");
  write_text(folder / "text", "a yes\nb no\n");
  write_text(folder / "segments", "a call 0 3.5 0\nb call 0 2.9 1\n");
  const std::vector<Utterance> utterances = read_kaldi(folder.path()).utterances;
  ASSERT_EQ(utterances.size(), 2u);
  EXPECT_EQ(utterances[0].part, (AudioPart{0, 3.5, 0}));
  EXPECT_EQ(utterances[1].part, (AudioPart{0, 2.9, 1}));
}

TEST(Kaldi, ColumnsWithoutAMeaningAreRefusedWithFileAndLine) {
  EXPECT_THAT(kaldi_refusal("segments", "u r 0 1 0 x\n"), HasSubstr("segments:1: 6 columns"));
  EXPECT_THAT(kaldi_refusal("segments", "u r 0 1 A\n"),
              HasSubstr("segments:1: the channel is 'A'"));
  EXPECT_THAT(kaldi_refusal("utt2spk", "u s 1\n"), HasSubstr("utt2spk:1: 2 columns after 'u'"));
  EXPECT_THAT(kaldi_refusal("reco2file_and_channel", "r f left\n"),
              HasSubstr("reco2file_and_channel:1: no channel"));
  EXPECT_THAT(kaldi_refusal("text", "u caf\xe9\n"),
              AllOf(HasSubstr("text:1: not UTF-8"), HasSubstr("iconv")));
}

TEST(Kaldi, SidesOfACallThatShareAFileAreItsChannels) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "c-A /abs/c.wav\nc-B /abs/c.wav\nd-B /abs/d-right.wav\n");
  write_text(folder / "text", "c-A yes\nc-B no\nd-B so\n");
  write_text(folder / "reco2file_and_channel", "c-A c A\nc-B c B\nd-B d B\n");
  const std::vector<Utterance> utterances = read_kaldi(folder.path()).utterances;
  ASSERT_EQ(utterances.size(), 3u);
  EXPECT_EQ(utterances[0].part.channel, 0);
  EXPECT_EQ(utterances[1].part.channel, 1);
  EXPECT_EQ(utterances[2].part.channel, -1);  // the file holds one side already
}

TEST(Kaldi, AByteOrderMarkIsNoPartOfAnId) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "u /abs/u.wav\n");
  write_text(folder / "text", "\xEF\xBB\xBFu yes\r\n");
  const Corpus corpus = read_kaldi(folder.path());
  ASSERT_EQ(corpus.utterances.size(), 1u);
  EXPECT_EQ(corpus.utterances[0].text, "yes");
  EXPECT_THAT(corpus.skipped, IsEmpty());
}

TEST(Kaldi, PathsCountFromTheFolderOrFromOneAboveIt) {
  const TemporaryFolder folder;
  write_text(folder / "recipe/data/train/wav.scp", "a wavs/a.wav\nb wavs/b.wav\n");
  write_text(folder / "recipe/data/train/text", "a yes\nb no\n");
  write_text(folder / "recipe/wavs/a.wav", "x");
  write_text(folder / "recipe/wavs/b.wav", "x");
  write_text(folder / "recipe/data/train/wavs/b.wav", "x");
  const std::vector<Utterance> utterances = read_kaldi(folder / "recipe/data/train").utterances;
  ASSERT_EQ(utterances.size(), 2u);
  EXPECT_EQ(utterances[0].audio, folder / "recipe/wavs/a.wav");
  EXPECT_EQ(utterances[1].audio, folder / "recipe/data/train/wavs/b.wav");
}

TEST(Kaldi, TheWorkingDirectoryIsTheLastPlaceToLook) {
  const TemporaryFolder folder;
  write_text(folder / "data/wav.scp", "a wavs/a.wav\nb wavs/b.wav\n");
  write_text(folder / "data/text", "a yes\nb no\n");
  write_text(folder / "data/wavs/a.wav", "x");
  write_text(folder / "work/wavs/a.wav", "another");
  write_text(folder / "work/wavs/b.wav", "x");
  const testing::WorkingDirectory work(folder / "work");
  const std::vector<Utterance> utterances = read_kaldi("../data").utterances;
  ASSERT_EQ(utterances.size(), 2u);
  EXPECT_EQ(utterances[0].audio, fs::path("../data/wavs/a.wav"));
  EXPECT_EQ(utterances[1].audio, fs::path("wavs/b.wav"));
}

}  // namespace
}  // namespace scion
