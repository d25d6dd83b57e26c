#include "scion/data/corpora/corpus.h"

#include <gmock/gmock.h>
#include <zlib.h>

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

TEST(Corpus, LibriSpeech) {
  const TemporaryFolder folder;
  write_text(folder / "20/7/20-7.trans.txt", "20-7-0001 HE SAID SO\n20-7-0000 IT IS\r\n\n");
  write_text(folder / "3/1/3-1.trans.txt", "3-1-0000 YES\n3-1-0001\n");
  write_text(folder / "20/7/20-7-0000.opus", "x");
  write_text(folder / "20/7/20-7-0001.flac", "x");
  write_text(folder / "3/1/3-1-0000.wav", "x");
  const std::vector<Utterance> utterances = read_corpus(folder.path()).utterances;
  ASSERT_EQ(utterances.size(), 4u);
  EXPECT_EQ(utterances[0].id, "20-7-0000");
  EXPECT_EQ(utterances[0].text, "IT IS");
  EXPECT_EQ(utterances[0].speaker, "20");
  EXPECT_EQ(utterances[0].audio, folder / "20/7/20-7-0000.opus");
  EXPECT_EQ(utterances[1].audio, folder / "20/7/20-7-0001.flac");
  EXPECT_EQ(utterances[2].audio, folder / "3/1/3-1-0000.wav");
  EXPECT_EQ(utterances[3].text, "");
}

TEST(Corpus, LibriSpeechFaults) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<UserError>([&] { read_librispeech(folder / "none"); }),
              HasSubstr("no such folder"));
  EXPECT_THAT(error_of<UserError>([&] { read_librispeech(folder.path()); }),
              HasSubstr("no transcript"));
  write_text(folder / "a/1.trans.txt", "1-1-1 YES\n");
  write_text(folder / "b/1.trans.txt", "1-1-1 YES\n");
  EXPECT_THAT(error_of<UserError>([&] { read_librispeech(folder.path()); }),
              HasSubstr("'1-1-1' is in two transcripts"));
}

TEST(Corpus, SaysWhatItLookedFor) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder.path()), HasSubstr("no corpus in"));
  EXPECT_THAT(refusal(folder / "none"), HasSubstr("no such file or folder"));
}

TEST(Corpus, KaldiDirectory) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "a-2  /abs/a 2.wav\na-1 here.flac \nb-1 b.wav\nc c.wav\n");
  write_text(folder / "here.flac", "x");
  write_text(folder / "text", "a-1 one two \na-2\t three\nb-1\nz nobody said it\n");
  write_text(folder / "utt2spk", "a-1 a\na-2 a\n");
  const Corpus corpus = read_corpus(folder.path());
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

TEST(Corpus, AFileNameThatNoSystemTakesIsNotThere) {
  const TemporaryFolder folder;
  const std::string name(5000, 'x');
  write_text(folder / "wav.scp", "a-1 " + name + "\n");
  write_text(folder / "text", "a-1 one\n");
  EXPECT_EQ(read_corpus(folder.path()).utterances.at(0).audio, folder / name);
}

TEST(Corpus, KaldiSegments) {
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "call /abs/call.wav\n");
  write_text(folder / "segments", "u1 call 0.5 2.25\nu2 call 3 -1\nu3 other 0 1\n");
  write_text(folder / "text", "u1 yes\nu2 no\nu3 lost\n");
  const Corpus corpus = read_corpus(folder.path());
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_EQ(corpus.utterances[0].part, (AudioPart{0.5, 1.75, -1}));
  EXPECT_EQ(corpus.utterances[1].part, (AudioPart{3, 0, -1}));
  ASSERT_EQ(corpus.skipped.size(), 1u);  // once, although it is in 'text', too
  EXPECT_THAT(corpus.skipped[0].reason, HasSubstr("'other' is not in wav.scp"));
}

TEST(Corpus, KaldiFaultsNameFileAndLine) {
  const auto complaint = [](const std::string& scp, const std::string& segments) {
    const TemporaryFolder folder;
    write_text(folder / "wav.scp", scp);
    write_text(folder / "text", "u yes\n");
    if (!segments.empty()) write_text(folder / "segments", segments);
    return refusal(folder.path());
  };
  EXPECT_THAT(complaint("r a.wav\nu sox a.wav -t wav - |\n", ""),
              HasSubstr("wav.scp:2: the audio of 'u' comes from a command: sox"));
  EXPECT_THAT(complaint("u data/raw.ark:1234\n", ""), HasSubstr("lies in an archive"));
  EXPECT_THAT(complaint("u\n", ""), HasSubstr("wav.scp:1: no path for 'u'"));
  EXPECT_THAT(complaint("u a\nu b\n", ""),
              HasSubstr("wav.scp:2: duplicate 'u' (first used in line 1)"));
  EXPECT_THAT(complaint("r a.wav\n", "u r 1\n"), HasSubstr("segments:1: fields are missing"));
  EXPECT_THAT(complaint("r a.wav\n", "u r 1 x\n"), HasSubstr("'x' is no time"));
  EXPECT_THAT(complaint("r a.wav\n", "u r 2 1\n"), HasSubstr("a segment from 2 s to 1 s"));
  const TemporaryFolder folder;
  write_text(folder / "wav.scp", "a a.wav\n");
  EXPECT_THAT(refusal(folder.path()), HasSubstr("has no file 'text'"));
}

const std::string recording_json =
    R"({"id": "r", "sources": [{"type": "file", "channels": [0, 1], "source": "/abs/r.wav"}],)"
    R"( "sampling_rate": 8000, "num_samples": 80000, "duration": 10.0})";

std::string cut_json(const std::string& type, const std::string& start,
                     const std::string& supervisions, const std::string& recording) {
  return R"({"id": "cut", "start": )" + start + R"(, "duration": 10.0, "channel": 0, "type": ")" +
         type + R"(", "supervisions": [)" + supervisions + R"(], "recording": )" + recording +
         "}\n";
}

TEST(Corpus, LhotseCutsAndTheirSupervisions) {
  const TemporaryFolder folder;
  const std::string two =
      R"({"id": "s1", "recording_id": "r", "start": 0.5, "duration": 2.0, "channel": 1,)"
      R"( "text": "one", "speaker": "x"},)"
      R"({"id": "s2", "recording_id": "r", "start": 3.0, "duration": 1.0, "channel": [0, 1]})";
  const std::string whole =
      R"({"id": "s3", "recording_id": "r", "start": 0.0, "duration": 10.0, "channel": 0})";
  const std::string lines = cut_json("MonoCut", "4.0", two, recording_json) +
                            cut_json("MonoCut", "0.0", whole, recording_json) +
                            cut_json("MonoCut", "0.0", "", recording_json);
  gzFile file = gzopen((folder / "cuts.jsonl.gz").c_str(), "wb");
  gzwrite(file, lines.data(), unsigned(lines.size()));
  gzclose(file);
  write_text(folder / "plain_cuts.jsonl", lines);
  for (const char* name : {"cuts.jsonl.gz", "plain_cuts.jsonl"}) {
    const Corpus corpus = read_corpus(folder / name);
    ASSERT_EQ(corpus.utterances.size(), 3u) << name;
    EXPECT_EQ(corpus.utterances[0].id, "s1");
    EXPECT_EQ(corpus.utterances[0].audio, "/abs/r.wav");
    EXPECT_EQ(corpus.utterances[0].part, (AudioPart{4.5, 2, 1}));
    EXPECT_EQ(corpus.utterances[0].speaker, "x");
    EXPECT_EQ(corpus.utterances[1].part, (AudioPart{7, 1, -1}));
    EXPECT_EQ(corpus.utterances[1].text, "");
    EXPECT_EQ(corpus.utterances[2].part, (AudioPart{0, 0, 0}));
    ASSERT_EQ(corpus.skipped.size(), 1u);
    EXPECT_EQ(corpus.skipped[0].id, "cut");
  }
  cut_file(folder / "cuts.jsonl.gz", 0.5);
  EXPECT_THAT(refusal(folder / "cuts.jsonl.gz"), HasSubstr("cut short or broken"));
}

TEST(Corpus, LhotseRecordingsWithSupervisions) {
  const TemporaryFolder folder;
  write_text(folder / "x_recordings_train.jsonl", recording_json + "\n");
  write_text(folder / "x_supervisions_train.jsonl",
             R"({"id": "s1", "recording_id": "r", "start": 1, "duration": 2, "text": "a"})"
             "\n"
             R"({"id": "s2", "recording_id": "gone", "start": 1, "duration": 2, "text": "b"})"
             "\n");
  for (const fs::path& source : {folder.path(), folder / "x_supervisions_train.jsonl"}) {
    const Corpus corpus = read_corpus(source);
    ASSERT_EQ(corpus.utterances.size(), 1u);
    EXPECT_EQ(corpus.utterances[0].part, (AudioPart{1, 2, -1}));
    ASSERT_EQ(corpus.skipped.size(), 1u);
    EXPECT_THAT(corpus.skipped[0].reason, HasSubstr("not among the recordings"));
  }
  fs::remove(folder / "x_recordings_train.jsonl");
  EXPECT_THAT(refusal(folder.path()), HasSubstr("lacks recordings"));
}

TEST(Corpus, LhotseFaultsNameTheLine) {
  const auto complaint = [](const std::string& lines) {
    const TemporaryFolder folder;
    write_text(folder / "cuts.jsonl", lines);
    return refusal(folder / "cuts.jsonl");
  };
  const std::string one = R"({"id": "s", "start": 0, "duration": 1})";
  EXPECT_THAT(complaint(cut_json("MixedCut", "0", one, recording_json)), HasSubstr("a MixedCut"));
  EXPECT_THAT(complaint("\n{\"id\": \n"), HasSubstr("cuts.jsonl:2"));
  EXPECT_THAT(complaint("{\"id\": \"x\"}\n"), HasSubstr("'recording' not found"));
  std::string command = recording_json;
  command.replace(command.find("\"file\""), 6, "\"command\"");
  EXPECT_THAT(complaint(cut_json("MonoCut", "0", one, command)), HasSubstr("comes from a command"));
  EXPECT_THAT(complaint(cut_json("MonoCut", "-5", one, recording_json)), HasSubstr("begins at -5"));
  const std::string twice = cut_json("MonoCut", "0", one, recording_json);
  EXPECT_THAT(complaint(twice + twice), HasSubstr("duplicate supervision 's'"));
  EXPECT_THAT(complaint("\n"), HasSubstr("no supervisions"));
}

TEST(Corpus, CommonVoiceTable) {
  const TemporaryFolder folder;
  write_text(folder / "train.tsv",
             "client_id\tpath\tup_votes\tsentence\r\n"
             "s1\tc_1.mp3\t2\tHe said: \"so\".\r\ns2\tc_2.mp3\t2\tZwölf\r\n");
  const Corpus corpus = read_corpus(folder / "train.tsv");
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_EQ(corpus.utterances[0].id, "c_1");
  EXPECT_EQ(corpus.utterances[0].audio, folder / "clips/c_1.mp3");
  EXPECT_EQ(corpus.utterances[0].text, "He said: \"so\".");
  EXPECT_EQ(corpus.utterances[1].speaker, "s2");
  write_text(folder / "bad.tsv", "client_id\tsentence\na\tb\n");
  EXPECT_THAT(refusal(folder / "bad.tsv"), HasSubstr("has no column 'path'"));
  write_text(folder / "short.tsv", "client_id\tpath\tsentence\na\tb\n");
  EXPECT_THAT(refusal(folder / "short.tsv"), HasSubstr("short.tsv:2: 2 columns of 3"));
}

}  // namespace
}  // namespace scion
