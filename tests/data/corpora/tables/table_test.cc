#include "scion/data/corpora/tables/table.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/data/corpora/corpus.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// The error of reading a table, or what it skips.
std::string refused_table(const std::string& text, const TableConfig& config = {}) {
  const TemporaryFolder folder;
  write_text(folder / "t.csv", text);
  std::string skipped;
  const std::string error = error_of<UserError>([&] {
    const CorpusOptions options{.table = config, .subset = ""};
    for (const Skipped& one :
         read_corpus(folder / "t.csv", CorpusFormat::automatic, options).skipped)
      skipped += one.id + ": " + one.reason + "\n";
  });
  return error + skipped;
}

TEST(Table, AudiofolderMetadataIsFoundInItsFolder) {
  const TemporaryFolder folder;
  write_text(folder / "data/a.flac", "x");
  write_text(folder / "data/b.flac", "x");
  write_text(
      folder / "metadata.csv",
      "\xEF\xBB\xBF"
      "file_name,transcription\r\ndata/a.flac,\"One, \"\"two\"\"\"\r\ndata/b.flac,three\r\n");
  const auto check = [&] {
    const Corpus corpus = read_corpus(folder.path());
    ASSERT_EQ(corpus.utterances.size(), 2U);
    EXPECT_EQ(corpus.utterances[0].id, "a");
    EXPECT_EQ(corpus.utterances[0].audio, folder / "data/a.flac");
    EXPECT_EQ(corpus.utterances[0].text, "One, \"two\"");
    EXPECT_EQ(corpus.utterances[1].text, "three");
  };
  check();
  std::filesystem::remove(folder / "metadata.csv");
  write_text(folder / "metadata.jsonl",
             "{\"file_name\": \"data/a.flac\", \"text\": \"One, \\\"two\\\"\"}\n\n"
             "{\"text\": \"three\", \"file_name\": \"data/b.flac\"}\n");
  check();
}

TEST(Table, LJSpeechNeedsNoOptions) {
  const TemporaryFolder folder;
  for (const char* id : {"LJ1", "LJ2"})
    write_text(folder / "wavs" / (id + std::string(".wav")), "x");
  write_text(folder / "metadata.csv",
             "LJ1|Printing, in \"the\" sense of 1|Printing, in \"the\" sense of one\n"
             "LJ2|Dr. No|Doctor No\nLJ1b|\"Yes\"|\"Yes\"\n");
  const Corpus corpus = read_corpus(folder.path());
  ASSERT_EQ(corpus.utterances.size(), 3U);
  EXPECT_EQ(corpus.utterances[0].audio, folder / "wavs/LJ1.wav");
  EXPECT_EQ(corpus.utterances[0].text, "Printing, in \"the\" sense of one");
  EXPECT_EQ(corpus.utterances[1].id, "LJ2");
  TableConfig raw;
  raw.columns = {.audio = "1", .text = "2"};
  EXPECT_EQ(read_table(folder / "metadata.csv", raw).utterances[1].text, "Dr. No");
}

// id|text|speaker looks like LJSpeech, but its last column is no text.
TEST(Table, AThirdColumnThatIsNotTheTextAgainIsNotGuessed) {
  const TemporaryFolder folder;
  write_text(folder / "wavs/a.wav", "x");
  write_text(folder / "metadata.csv", "a|one two|bob\nb|three|bob\n");
  EXPECT_THAT(error_of<UserError>([&] { read_corpus(folder.path()); }),
              AllOf(HasSubstr("no known column for the audio"),
                    HasSubstr("1 ('a'), 2 ('one two'), 3 ('bob')"), HasSubstr("--column.audio")));
}

TEST(Table, OtherToolkitsColumnsAreKnown) {
  const TemporaryFolder folder;
  write_text(folder / "a.wav", "x");
  write_text(folder / "deepspeech.csv", "wav_filename,wav_filesize,transcript\na.wav,12,one\n");
  write_text(folder / "speechbrain.csv",
             "ID,duration,wav,spk_id,wrd\nu1,1.5,$data_root/a.wav,bob,one\n");
  write_text(
      folder / "speechbrain.json",
      "{\n \"u1\": {\"wav\": \"{data_root}/a.wav\", \"length\": 1.5, \"words\": \"one\"}\n}");
  write_text(folder / "data.list", "{\"key\": \"u1\", \"wav\": \"a.wav\", \"txt\": \"one\"}\n");
  write_text(folder / "array.json", "[{\"path\": \"a.wav\", \"sentence\": \"one\", \"id\": 7}]");
  for (const char* name :
       {"deepspeech.csv", "speechbrain.csv", "speechbrain.json", "data.list", "array.json"}) {
    const Corpus corpus = read_corpus(folder / name);
    ASSERT_EQ(corpus.utterances.size(), 1U) << name;
    EXPECT_EQ(corpus.utterances[0].text, "one") << name;
    EXPECT_EQ(corpus.utterances[0].audio, folder / "a.wav") << name;
    EXPECT_FALSE(corpus.utterances[0].part.is_segment()) << name;
  }
  EXPECT_EQ(read_corpus(folder / "speechbrain.csv").utterances[0].speaker, "bob");
  EXPECT_EQ(read_corpus(folder / "speechbrain.csv").utterances[0].seconds, 1.5);
  EXPECT_EQ(read_corpus(folder / "speechbrain.json").utterances[0].id, "u1");
  EXPECT_EQ(read_corpus(folder / "array.json").utterances[0].id, "7");
}

TEST(Table, PartsOfFiles) {
  const TemporaryFolder folder;
  write_text(folder / "a.wav", "x");
  write_text(folder / "t.csv", "wav,text,start,end,channel\na.wav,one,0.5,2,1\na.wav,two,,,mix\n");
  const Corpus corpus = read_corpus(folder / "t.csv");
  EXPECT_EQ(corpus.utterances.at(0).part, (AudioPart{0.5, 1.5, 1}));
  EXPECT_EQ(corpus.utterances.at(1).part, AudioPart{});
  write_text(folder / "wenet.list",
             "{\"key\": \"u\", \"wav\": \"a.wav,0.5,2\", \"txt\": \"one\"}\n");
  EXPECT_EQ(read_corpus(folder / "wenet.list").utterances.at(0).part, (AudioPart{0.5, 1.5, -1}));
  EXPECT_EQ(read_corpus(folder / "wenet.list").utterances.at(0).audio, folder / "a.wav");
  EXPECT_THAT(refused_table("wav,text,start,end\na,b,2,1\n"),
              HasSubstr("t.csv:2: a part from 2 s"));
  EXPECT_THAT(refused_table("wav,text,start\na,b,x\n"),
              HasSubstr("t.csv:2: 'x' in column 'start' is no time"));
  EXPECT_THAT(refused_table("wav,text,channel\na,b,left\n"),
              HasSubstr("t.csv:2: 'left' in column 'channel' is no channel"));
}

TEST(Table, OptionsNameColumnsDelimiterAndFolder) {
  const TemporaryFolder folder;
  write_text(folder / "audio files/x 1.wav", "x");
  write_text(folder / "t.txt", "what;where;who;from\nhello;x 1.wav;bob;elsewhere\n");
  TableConfig config;
  config.audio_folder = (folder / "audio files").string();
  config.columns = {.audio = "where", .text = "what", .speaker = "3", .id = "from"};
  Corpus corpus =
      read_corpus(folder / "t.txt", CorpusFormat::automatic, {.table = config, .subset = ""});
  ASSERT_EQ(corpus.utterances.size(), 1U);
  EXPECT_EQ(corpus.utterances[0].audio, folder / "audio files/x 1.wav");
  EXPECT_EQ(corpus.utterances[0].text, "hello");
  EXPECT_EQ(corpus.utterances[0].speaker, "bob");
  EXPECT_EQ(corpus.utterances[0].id, "elsewhere");
  config.delimiter = Delimiter::pipe;
  EXPECT_THAT(error_of<UserError>([&] { read_table(folder / "t.txt", config); }),
              HasSubstr("no column 'where'"));
}

TEST(Table, AMissingOrAmbiguousColumnNamesThoseThatExist) {
  EXPECT_THAT(refused_table("audio,path,text\na,b,c\n"),
              AllOf(HasSubstr("columns 'audio' and 'path' may both be the audio"),
                    HasSubstr("'audio', 'path', 'text'"), HasSubstr("--column.audio audio")));
  EXPECT_THAT(refused_table("clip,label\na,b\n"), HasSubstr("no known column for the audio"));
  EXPECT_THAT(refused_table("path,label\na,b\n"),
              AllOf(HasSubstr("no known column for the text"), HasSubstr("'path', 'label'")));
  TableConfig config;
  config.columns = {.audio = "path", .text = "lable"};
  EXPECT_THAT(refused_table("path,label\na,b\n", config),
              AllOf(HasSubstr("no column 'lable'"), HasSubstr("did you mean 'label'?")));
  config.columns = {.ignored = {"audio"}};
  EXPECT_THAT(refused_table("audio,path,text\na,b,c\n", config), "");
  EXPECT_THAT(refused_table("wav,text,wav_opts\na,b,start:5\n"), HasSubstr("is not understood"));
}

TEST(Table, ARowWithAnotherNumberOfColumnsIsSkipped) {
  EXPECT_THAT(refused_table("path,text\na,b\nc,one, two\n"), HasSubstr("t.csv:3: 3 columns of 2"));
  EXPECT_THAT(refused_table("path,text\na\n"), HasSubstr("t.csv:2: 1 columns of 2"));
  EXPECT_THAT(refused_table("path,text\n,b\n"), HasSubstr("t.csv:2: no audio in column 'path'"));
}

TEST(Table, IdsComeFromPathsWhereStemsRepeat) {
  const TemporaryFolder folder;
  write_text(folder / "t.csv", "path,text,id\nx/0.wav,one,5\ny/0.wav,two,5\n");
  const Corpus corpus = read_corpus(folder / "t.csv");
  EXPECT_EQ(corpus.utterances.at(0).id, "x/0");
  EXPECT_EQ(corpus.utterances.at(1).id, "y/0");
  TableConfig config;
  config.columns.id = "id";
  const Corpus chosen =
      read_corpus(folder / "t.csv", CorpusFormat::automatic, {.table = config, .subset = ""});
  EXPECT_EQ(chosen.utterances.at(0).id, "5");
  EXPECT_EQ(chosen.skipped.at(0).reason, "an utterance with this id comes before it");
}

TEST(Table, OtherFilesAreRefusedByWhatTheyAre) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& name, const std::string& bytes) {
    write_text(folder / name, bytes);
    return error_of<UserError>([&] { read_corpus(folder / name); });
  };
  EXPECT_THAT(refusal("a.wav", "RIFF"), HasSubstr("is an audio file, not a corpus"));
  EXPECT_THAT(refusal("a.parquet", "PAR1"), HasSubstr("Parquet"));
  EXPECT_THAT(refusal("a.ctm", "f 1 0 1 word\n"), HasSubstr("a .ctm is for scoring"));
  EXPECT_THAT(refusal("a.txt", "just some words\n"), HasSubstr("neither JSON nor"));
}

}  // namespace
}  // namespace scion
