#include "scion/data/corpora/layouts/layouts.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/corpora/corpus.h"
#include "scion/data/corpora/prepare.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What is to be read from every layout: four utterances by two speakers.
struct Spoken {
  std::string id, speaker, text;
  double seconds;
};

const std::vector<Spoken>& spoken() {
  static const std::vector<Spoken> all = {{"7_1_0001", "7", "one two", 0.3},
                                          {"7_1_0002", "7", "four five six", 0.5},
                                          {"8_2_0001", "8", "three", 0.4},
                                          {"8_2_0002", "8", "eight nine", 0.7}};
  return all;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  return text;
}

/// A layout in a folder: writes one utterance's files, or a line of the list.
class LayoutFolder {
 public:
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  const fs::path& path() const { return folder_.path(); }
  void audio(const std::string& name, const Spoken& one, uint64_t seed,
             int format = SF_FORMAT_WAV | SF_FORMAT_PCM_16) const {
    write_sound(folder_ / name, voice(one.seconds, seed), format);
  }

  /// "text seconds speaker" of every line of the prepared manifest, sorted.
  std::vector<std::string> prepared(const fs::path& source,
                                    const PrepareConfig& config = {}) const {
    const fs::path out = folder_ / ("out" + std::to_string(++outputs_));
    prepare(config, source, out);
    std::vector<std::string> lines;
    for (const Utterance& one : read_manifest(out / "manifest.jsonl"))
      lines.push_back(fmt::format("{} {:.2f} {}", one.text, one.seconds, one.speaker));
    std::sort(lines.begin(), lines.end());
    return lines;
  }

 private:
  TemporaryFolder folder_;
  mutable int outputs_ = 0;
};

std::vector<std::string> expected(bool speakers = true) {
  std::vector<std::string> lines;
  for (const Spoken& one : spoken())
    lines.push_back(
        fmt::format("{} {:.2f} {}", one.text, one.seconds, speakers ? one.speaker : ""));
  std::sort(lines.begin(), lines.end());
  return lines;
}

/// Calls write(utterance, seed) for all.
template <class Write>
void for_all(const Write& write) {
  for (size_t i = 0; i < spoken().size(); ++i) write(spoken()[i], i);
}

TEST(Layouts, AishellIsReadOneSetAtATime) {
  const LayoutFolder folder;
  std::string transcript = "unused words\n";
  for_all([&](const Spoken& one, uint64_t seed) {
    folder.audio("wav/train/" + one.speaker + "/" + one.id + ".wav", one, seed);
    transcript += one.id + " " + one.text + "\n";
  });
  write_text(folder / "transcript/aishell_transcript_v0.8.txt", transcript);
  EXPECT_EQ(folder.prepared(folder / "wav/train"), expected());
  EXPECT_EQ(folder.prepared(folder.path()), expected());
  folder.audio("wav/test/9/9_1_1.wav", spoken()[0], 9);
  EXPECT_THAT(error_of<UserError>([&] { read_corpus(folder.path()); }),
              HasSubstr("holds several sets: test, train"));
  const Corpus test = read_corpus(folder / "wav/test");
  EXPECT_THAT(test.utterances, IsEmpty());
  EXPECT_EQ(test.skipped.at(0).reason, "it has no transcript");
}

TEST(Layouts, MultilingualLibriSpeech) {
  const LayoutFolder folder;
  std::string transcripts;
  for_all([&](const Spoken& one, uint64_t seed) {
    const std::string book = one.id.substr(2, 1);
    folder.audio("dev/audio/" + one.speaker + "/" + book + "/" + one.id + ".flac", one, seed,
                 SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
    transcripts += one.id + "\t" + one.text + "\n";
  });
  write_text(folder / "dev/transcripts.txt", transcripts);
  EXPECT_EQ(folder.prepared(folder / "dev"), expected());
  EXPECT_EQ(folder.prepared(folder.path()), expected());
  write_text(folder / "dev/transcripts.txt", transcripts + "7_1_3 no tab\n");
  const Corpus corpus = read_corpus(folder / "dev");
  EXPECT_THAT(corpus.skipped.at(0).id, HasSubstr("transcripts.txt:5"));
  EXPECT_EQ(corpus.utterances.at(0).id, "7_1_0001");
}

TEST(Layouts, VctkTakesTheFirstMicrophone) {
  const LayoutFolder folder;
  for_all([&](const Spoken& one, uint64_t seed) {
    const std::string audio = "wav48_silence_trimmed/" + one.speaker + "/" + one.id;
    const bool first = seed != 3;  // one speaker of VCTK has the second one only
    folder.audio(audio + (first ? "_mic1.flac" : "_mic2.flac"), one, seed,
                 SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
    if (first) write_text(folder / (audio + "_mic2.flac"), "not to be read");
    write_text(folder / ("txt/" + one.speaker + "/" + one.id + ".txt"), one.text + "\n");
  });
  EXPECT_EQ(folder.prepared(folder.path()), expected());
  write_text(folder / "txt/7/7_1_0009.txt", "no audio");
  EXPECT_EQ(read_corpus(folder.path()).skipped.at(0).id, "7_1_0009");
}

TEST(Layouts, TimitNamesUtterancesBySpeakerAndSentence) {
  const LayoutFolder folder;
  for_all([&](const Spoken& one, uint64_t seed) {
    const std::string stem = "TRAIN/DR1/" + one.speaker + "/SX" + one.id.substr(7);
    folder.audio(stem + ".WAV", one, seed, SF_FORMAT_NIST | SF_FORMAT_PCM_16);
    write_text(folder / (stem + ".PHN"), "0 10 h#\n");
    write_text(folder / (stem + ".TXT"), "0 46797 " + one.text + " \n");
  });
  EXPECT_EQ(folder.prepared(folder / "TRAIN"), expected());
  EXPECT_EQ(read_corpus(folder.path()).utterances.at(0).id, "7_SX1");
  write_text(folder / "TEST/DR1/9/SX1.phn", "");
  EXPECT_THAT(error_of<UserError>([&] { read_corpus(folder.path()); }),
              HasSubstr("holds several sets: TEST, TRAIN"));
  write_text(folder / "TRAIN/DR1/7/SX1.TXT", "no samples");
  EXPECT_THAT(read_corpus(folder / "TRAIN").skipped.at(0).reason, HasSubstr("no first sample"));
}

TEST(Layouts, AudioWithTextsBesideIt) {
  const LayoutFolder folder;
  for_all([&](const Spoken& one, uint64_t seed) {
    folder.audio("mine/" + one.speaker + "/" + one.id + ".wav", one, seed);
    write_text(folder / ("mine/" + one.speaker + "/" + one.id + ".txt"), one.text + "\r\n");
  });
  EXPECT_EQ(folder.prepared(folder / "mine"), expected(false));
  for (const Spoken& one : spoken())
    write_text(folder / ("mine/" + one.speaker + "/" + one.id + ".normalized.txt"), one.text);
  EXPECT_EQ(folder.prepared(folder / "mine"), expected());  // LibriTTS
  write_text(folder / "mine/8/more.wav", "x");
  EXPECT_EQ(read_corpus(folder / "mine").skipped.at(0).id, "8/more.wav");
}

TEST(Layouts, TedLiumsSegmentTimeMarks) {
  const LayoutFolder folder;
  for (const std::string speaker : {"7", "8"}) {
    std::vector<float> talk;
    std::string stm = ";; a comment\n";
    for_all([&](const Spoken& one, uint64_t seed) {
      if (one.speaker != speaker) return;
      const double begin = double(talk.size()) / 16000;
      const std::vector<float> samples = voice(one.seconds, seed);
      talk.insert(talk.end(), samples.begin(), samples.end());
      stm += fmt::format("talk{} 1 {} {:.3f} {:.3f} <o,f0,male> {} {{NOISE}}\n", speaker, speaker,
                         begin, double(talk.size()) / 16000, one.text);
    });
    stm += fmt::format(
        "talk{0} 1 inter_segment_gap 0 0.1 <o,,unknown> ignore_time_segment_in_scoring\n"
        "talk{0} 1 x 0 0.1 <NA> some <unk> words(2)\n",
        speaker);
    write_sound(folder / ("train/sph/talk" + speaker + ".sph"), talk,
                SF_FORMAT_NIST | SF_FORMAT_PCM_16);
    write_text(folder / ("train/stm/talk" + speaker + ".stm"), stm);
  }
  EXPECT_EQ(folder.prepared(folder / "train"), expected());
  const Corpus corpus = read_corpus(folder.path());
  EXPECT_EQ(corpus.utterances.at(0).id, "talk7-1-0.000");
  EXPECT_EQ(corpus.utterances.at(1).part, (AudioPart{0.3, corpus.utterances[1].seconds, 0}));
  EXPECT_THAT(corpus.remarks,
              ElementsAre(HasSubstr("2 segments that are not scored"), HasSubstr("<unk>")));
  EXPECT_EQ(read_corpus(folder / "train/stm/talk8.stm").utterances.size(), 2U);
}

TEST(Layouts, FaultsOfAnStmAreSkippedByLine) {
  const LayoutFolder folder;
  write_text(folder / "a.stm",
             "a A s 0 1 good words(2)\na B s 0\na C s 0 1 x\na 2 s 2 1 x\na 1 s 0 x y\n"
             "a 1 s 0 1 { a / b }\na 2 s 0 1 <o,f0> other\n");
  const Corpus corpus = read_corpus(folder / "a.stm");
  ASSERT_EQ(corpus.utterances.size(), 2U);
  EXPECT_EQ(corpus.utterances[0].text, "good words");
  EXPECT_EQ(corpus.utterances[1].part.channel, 1);
  std::vector<std::string> reasons;
  for (const Skipped& one : corpus.skipped) reasons.push_back(one.reason);
  EXPECT_THAT(reasons,
              ElementsAre("fields are missing", "'C' is no channel", "a segment from 2 s to 1 s",
                          "'x' is no time", HasSubstr("alternatives")));
  EXPECT_THAT(corpus.skipped[0].id, HasSubstr("a.stm:2"));
}

TEST(Layouts, GigaSpeechsSubsets) {
  const LayoutFolder folder;
  std::vector<float> podcast;
  std::string segments;
  for_all([&](const Spoken& one, uint64_t seed) {
    const double begin = double(podcast.size()) / 16000;
    const std::vector<float> samples = voice(one.seconds, seed);
    podcast.insert(podcast.end(), samples.begin(), samples.end());
    segments +=
        fmt::format(R"({{"sid": "{}", "speaker": "{}", "begin_time": {}, "end_time": {},)"
                    R"( "text_tn": "{} <QUESTIONMARK>", "subsets": ["{{XL}}", "{{XS}}"]}},)",
                    one.id, one.speaker, begin, double(podcast.size()) / 16000, upper(one.text));
  });
  write_sound(folder / "audio/POD1.flac", podcast, SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  write_text(
      folder / "GigaSpeech.json",
      R"({"dataset": "GigaSpeech", "audios": [{"aid": "POD1", "path": "audio/POD1.flac", "segments": [)" +
          segments +
          R"({"sid": "n", "speaker": "N/A", "begin_time": 0, "end_time": 1, "text_tn": "<NOISE>", "subsets": ["{XS}"]},)"
          R"({"sid": "t", "begin_time": 0, "end_time": 1, "text_tn": "X", "subsets": ["{TEST}"]}]}]})");
  PrepareConfig config;
  config.corpus.subset = "XS";
  EXPECT_EQ(folder.prepared(folder.path(), config), expected());
  const Corpus corpus = read_gigaspeech(folder / "GigaSpeech.json", "XS");
  EXPECT_EQ(corpus.utterances.at(0).text, "ONE TWO");
  EXPECT_THAT(corpus.remarks, ElementsAre(HasSubstr("1 segments without speech")));
  EXPECT_THAT(error_of<UserError>([&] { read_corpus(folder / "GigaSpeech.json"); }),
              HasSubstr("has several subsets; its subsets are {TEST}, {XL}, {XS}"));
}

// One line of each list format, all with the same audio.
TEST(Layouts, TablesGiveTheSameManifest) {
  const LayoutFolder folder;
  std::string csv = "file_name,transcription,speaker\n", json, deepspeech, lj, wenet;
  deepspeech = "wav_filename,wav_filesize,transcript\n";
  for_all([&](const Spoken& one, uint64_t seed) {
    folder.audio("wavs/" + one.id + ".wav", one, seed);
    const std::string file = "wavs/" + one.id + ".wav";
    csv += file + ",\"" + one.text + "\"," + one.speaker + "\n";
    json += fmt::format("{{\"file_name\": \"{}\", \"text\": \"{}\", \"speaker\": {}}}\n", file,
                        one.text, one.speaker);
    wenet += fmt::format("{{\"key\": \"{}\", \"wav\": \"{}\", \"txt\": \"{}\"}}\n", one.id, file,
                         one.text);
    deepspeech += file + ",1," + one.text + "\n";
    lj += one.id + "|" + one.text + "|" + one.text + "\n";
  });
  write_text(folder / "table.csv", csv);
  write_text(folder / "table.jsonl", json);
  write_text(folder / "data.list", wenet);
  write_text(folder / "train.csv", deepspeech);
  write_text(folder / "metadata.csv", lj);
  EXPECT_EQ(folder.prepared(folder / "table.csv"), expected());
  EXPECT_EQ(folder.prepared(folder / "table.jsonl"), expected());
  EXPECT_EQ(folder.prepared(folder / "data.list"), expected(false));
  EXPECT_EQ(folder.prepared(folder / "train.csv"), expected(false));
  EXPECT_EQ(folder.prepared(folder.path()), expected(false));
}

TEST(Layouts, AFolderWithoutACorpusNamesThoseInIt) {
  const LayoutFolder folder;
  write_text(folder / "data/train/wav.scp", "");
  write_text(folder / "data/dev.tsv", "");
  EXPECT_THAT(error_of<UserError>([&] { read_corpus(folder / "data"); }),
              HasSubstr("name one of: " + (folder / "data/dev.tsv").string() + ", " +
                        (folder / "data/train").string()));
}

TEST(Layouts, OptionsOfAnotherFormatAreRefused) {
  const LayoutFolder folder;
  write_text(folder / "wav.scp", "");
  write_text(folder / "text", "");
  CorpusOptions options;
  options.table.columns.text = "2";
  EXPECT_THAT(
      error_of<UserError>([&] { read_corpus(folder.path(), CorpusFormat::automatic, options); }),
      HasSubstr("is no table (kaldi)"));
  options = {.table = {}, .subset = "XS"};
  EXPECT_THAT(
      error_of<UserError>([&] { read_corpus(folder.path(), CorpusFormat::automatic, options); }),
      HasSubstr("has no subsets"));
}

}  // namespace
}  // namespace scion
