#include <gmock/gmock.h>
#include <zlib.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/corpora/readers/readers.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string recording_json =
    R"({"id": "r", "sources": [{"type": "file", "channels": [0, 1], "source": "/abs/r.wav"}],)"
    R"( "sampling_rate": 8000, "num_samples": 80000, "duration": 10.0})";

std::string cut_json(const std::string& type, const std::string& start,
                     const std::string& supervisions, const std::string& recording) {
  return R"({"id": "cut", "start": )" + start + R"(, "duration": 10.0, "channel": 0, "type": ")" +
         type + R"(", "supervisions": [)" + supervisions + R"(], "recording": )" + recording +
         "}\n";
}

// A supervision is a part of the recording, whether its cut holds all of it or not.
TEST(Lhotse, ASupervisionMayReachOutOfItsCut) {
  const TemporaryFolder folder;
  const std::string two =
      R"({"id": "early", "recording_id": "r", "start": -1.5, "duration": 2.0, "channel": 0},)"
      R"({"id": "long", "recording_id": "r", "start": 0.5, "duration": 5.0, "channel": 0})";
  std::string cut = cut_json("MonoCut", "4.0", two, recording_json);
  const std::string ten = R"("duration": 10.0)";
  cut.replace(cut.find(ten), ten.size(), R"("duration": 1.0)");
  write_text(folder / "cuts.jsonl", cut);
  const Corpus corpus = read_lhotse(folder / "cuts.jsonl");
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_EQ(corpus.utterances[0].part, (AudioPart{2.5, 2, 0}));
  EXPECT_EQ(corpus.utterances[1].part, (AudioPart{4.5, 5, 0}));
  EXPECT_THAT(corpus.skipped, IsEmpty());
}

TEST(Lhotse, ReadsCutsAndTheirSupervisions) {
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
    const Corpus corpus = read_lhotse(folder / name);
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
  EXPECT_THAT(error_of<UserError>([&] { read_lhotse(folder / "cuts.jsonl.gz"); }),
              HasSubstr("cut short or broken"));
}

TEST(Lhotse, ReadsRecordingsWithSupervisions) {
  const TemporaryFolder folder;
  write_text(folder / "x_recordings_train.jsonl", recording_json + "\n");
  write_text(folder / "x_supervisions_train.jsonl",
             R"({"id": "s1", "recording_id": "r", "start": 1, "duration": 2, "text": "a"})"
             "\n"
             R"({"id": "s2", "recording_id": "gone", "start": 1, "duration": 2, "text": "b"})"
             "\n");
  for (const fs::path& source : {folder.path(), folder / "x_supervisions_train.jsonl"}) {
    const Corpus corpus = read_lhotse(source);
    ASSERT_EQ(corpus.utterances.size(), 1u);
    EXPECT_EQ(corpus.utterances[0].part, (AudioPart{1, 2, -1}));
    ASSERT_EQ(corpus.skipped.size(), 1u);
    EXPECT_THAT(corpus.skipped[0].reason, HasSubstr("not among the recordings"));
  }
  fs::remove(folder / "x_recordings_train.jsonl");
  EXPECT_THAT(error_of<UserError>([&] { read_lhotse(folder.path()); }),
              HasSubstr("lacks recordings"));
}

Corpus cuts_of(const std::string& lines) {
  const TemporaryFolder folder;
  write_text(folder / "cuts.jsonl", lines);
  return read_lhotse(folder / "cuts.jsonl");
}

/// The only utterance that is skipped, as "id: reason | hint".
std::string lhotse_skip(const std::string& line) {
  const std::string good =
      R"({"id": "good", "start": 0, "duration": 1, "text": "a", "channel": 0})";
  const Corpus corpus = cuts_of(line + cut_json("MonoCut", "0", good, recording_json));
  EXPECT_EQ(corpus.utterances.size(), 1u) << line;
  EXPECT_EQ(corpus.skipped.size(), 1u) << line;
  if (corpus.skipped.empty()) return "";
  const Skipped& one = corpus.skipped[0];
  return one.id + ": " + one.reason + " | " + one.hint;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  return text.replace(text.find(what), what.size(), by);
}

TEST(Lhotse, OneBadCutIsSkippedWithItsReason) {
  const std::string one = R"({"id": "s", "start": 0, "duration": 1, "channel": 0})";
  EXPECT_THAT(lhotse_skip(cut_json("MixedCut", "0", one, recording_json)),
              HasSubstr("cut: a MixedCut"));
  EXPECT_THAT(lhotse_skip("{\"id\": \n"), HasSubstr("cuts.jsonl:1: broken JSON"));
  EXPECT_THAT(lhotse_skip("{\"id\": \"x\"}\n"), HasSubstr("x: the cut has no recording"));
  EXPECT_THAT(lhotse_skip(cut_json("MonoCut", "0", one, "{\"id\": \"r\"}")),
              HasSubstr("cut: key 'sources' not found"));
  for (const char* type : {"command", "url", "memory"})
    EXPECT_THAT(
        lhotse_skip(cut_json("MonoCut", "0", one,
                             replaced(recording_json, "\"file\"", fmt::format("\"{}\"", type)))),
        HasSubstr(fmt::format("s: its audio comes from a {}", type)));
  EXPECT_THAT(lhotse_skip(cut_json("MonoCut", "-0.02", one, recording_json)),
              AllOf(HasSubstr("s: it begins at -0.020 s"), HasSubstr("mend its start")));
  EXPECT_THAT(
      lhotse_skip(cut_json("MonoCut", "0", replaced(one, "\"duration\": 1", "\"duration\": 0"),
                           recording_json)),
      AllOf(HasSubstr("s: it lasts 0 s"), HasSubstr("mend its duration")));
  EXPECT_THAT(
      lhotse_skip(cut_json("MonoCut", "0", replaced(one, "\"channel\": 0", "\"channel\": 5"),
                           recording_json)),
      HasSubstr("s: channels [5] are not those of a file"));
}

TEST(Lhotse, ANullTextIsNoTextAndANumberIsASpeaker) {
  const Corpus corpus = cuts_of(
      cut_json("MonoCut", "0",
               R"({"id": 7, "start": 0, "duration": 1, "text": null, "speaker": 3, "custom": NaN})",
               recording_json));
  ASSERT_EQ(corpus.utterances.size(), 1u);
  EXPECT_EQ(corpus.utterances[0].id, "7");
  EXPECT_EQ(corpus.utterances[0].text, "");
  EXPECT_EQ(corpus.utterances[0].speaker, "3");
  EXPECT_EQ(corpus.utterances[0].part, (AudioPart{0, 1, 0}));  // the cut's channel
}

TEST(Lhotse, FilesThatHoldChannelsEachAreChosenByChannel) {
  const std::string two_files =
      R"({"id": "r", "sources": [{"type": "file", "channels": [0], "source": "/abs/0.wav"},)"
      R"( {"type": "file", "channels": [1, 2], "source": "/abs/12.wav"}], "duration": 10.0})";
  const auto on_channel = [](const std::string& channel) {
    return R"({"id": "s)" + channel + R"(", "start": 0, "duration": 1, "channel": )" + channel +
           "}";
  };
  const Corpus corpus = cuts_of(cut_json("MultiCut", "0",
                                         on_channel("0") + "," + on_channel("2") + "," +
                                             on_channel("[1, 2]") + "," + on_channel("[0, 1]"),
                                         two_files));
  ASSERT_EQ(corpus.utterances.size(), 3u);
  EXPECT_EQ(corpus.utterances[0].audio, "/abs/0.wav");
  EXPECT_EQ(corpus.utterances[1].audio, "/abs/12.wav");
  EXPECT_EQ(corpus.utterances[1].part.channel, 1);  // the second of that file
  EXPECT_EQ(corpus.utterances[2].part.channel, -1);
  ASSERT_EQ(corpus.skipped.size(), 1u);
  EXPECT_EQ(corpus.skipped[0].id, "s[0, 1]");
}

/// A cut of 2 s at 60 s of a recording of 90 s, as perturb_speed(factor) leaves it.
std::string perturbed(const std::string& id, const std::string& transform, double factor) {
  const std::string recording = fmt::format(
      R"({{"id": "r{0}", "sources": [{{"type": "file", "channels": [0], "source": "/abs/r.wav"}}],)"
      R"( "duration": {1}, "transforms": [{2}]}})",
      id, 90 / factor, transform);
  return fmt::format(R"({{"id": "c{0}", "type": "MonoCut", "start": {1}, "duration": {2}, )"
                     R"("channel": 0, "supervisions": [{{"id": "{0}", "start": 0, )"
                     R"("duration": {2}, "text": "a", "channel": 0}}], "recording": {3}}})"
                     "\n",
                     id, 60 / factor, 2 / factor, recording);
}

TEST(Lhotse, CopiesAtOtherSpeedsAreLeftOutWhereTheOriginalIsThere) {
  const Corpus corpus =
      cuts_of(perturbed("x-0.9", R"({"name": "Speed", "kwargs": {"factor": 0.9}})", 0.9) +
              perturbed("x", "", 1) +
              perturbed("x-1.1", R"({"name": "Tempo", "kwargs": {"factor": 1.1}})", 1.1));
  ASSERT_EQ(corpus.utterances.size(), 1u);
  EXPECT_EQ(corpus.utterances[0].id, "x");
  EXPECT_EQ(corpus.utterances[0].part, (AudioPart{60, 2, -1}));
  EXPECT_THAT(corpus.skipped, IsEmpty());
  EXPECT_THAT(corpus.remarks, ElementsAre(HasSubstr("2 copies at another speed")));
}

TEST(Lhotse, TimesAtOtherSpeedsAreMappedToThoseOfTheFile) {
  const Corpus corpus =
      cuts_of(perturbed("x-1.1", R"({"name": "Speed", "kwargs": {"factor": 1.1}})", 1.1));
  ASSERT_EQ(corpus.utterances.size(), 1u);
  EXPECT_NEAR(corpus.utterances[0].part.begin_seconds, 60, 1e-3);
  EXPECT_NEAR(corpus.utterances[0].part.seconds, 2, 1e-3);
  EXPECT_NEAR(corpus.utterances[0].seconds, 2, 1e-3);
  EXPECT_THAT(corpus.remarks, ElementsAre(HasSubstr("1 utterances with the transforms Speed")));
}

TEST(Lhotse, TransformsThatLeaveTimeAloneAreSaidOrRefused) {
  const Corpus corpus = cuts_of(
      perturbed("v", R"({"name": "Volume", "kwargs": {"factor": 2}})", 1) +
      perturbed("r", R"({"name": "Resample", "kwargs": {"target_sampling_rate": 8000}})", 1) +
      perturbed("w", R"({"name": "ReverbWithImpulseResponse", "kwargs": {}})", 1) +
      perturbed("n", R"({"name": "Narrowband", "kwargs": {"codec": "mulaw"}})", 1) +
      perturbed("f", R"({"name": "Speed", "kwargs": {"factor": 0}})", 1));
  EXPECT_EQ(corpus.utterances.size(), 2u);
  EXPECT_THAT(corpus.remarks, ElementsAre(HasSubstr("1 utterances with the transform Volume")));
  ASSERT_EQ(corpus.skipped.size(), 3u);
  EXPECT_EQ(corpus.skipped[0].reason, "the transform ReverbWithImpulseResponse is not read");
  EXPECT_EQ(corpus.skipped[1].reason, "the transform Narrowband is not read");
}

TEST(Lhotse, KeysThatAreNotReadAreNamed) {
  const Corpus corpus = cuts_of(cut_json(
      "MonoCut", "0", R"({"id": "s", "start": 0, "duration": 1, "affix": 1, "gender": "f"})",
      recording_json));
  EXPECT_EQ(corpus.utterances.size(), 1u);
  EXPECT_THAT(corpus.remarks, ElementsAre("not read: affix of a supervision"));
}

TEST(Lhotse, FilesOfAnotherKindAreRefused) {
  const TemporaryFolder folder;
  write_text(folder / "cuts.jsonl", "[\n{}\n]\n");
  EXPECT_THAT(error_of<UserError>([&] { read_lhotse(folder / "cuts.jsonl"); }),
              HasSubstr("is one JSON array"));
  write_text(folder / "cuts.jsonl", "\n");
  EXPECT_THAT(error_of<UserError>([&] { read_lhotse(folder / "cuts.jsonl"); }),
              HasSubstr("no supervisions"));
}

TEST(Lhotse, HiddenFilesDoNotCount) {
  const TemporaryFolder folder;
  write_text(folder / "cuts.jsonl", perturbed("x", "", 1));
  write_text(folder / "._cuts.jsonl", "x");
  EXPECT_EQ(read_lhotse(folder.path()).utterances.size(), 1u);
}

}  // namespace
}  // namespace scion
