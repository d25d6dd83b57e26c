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
using ::testing::IsEmpty;

std::string manifest_line(const std::string& more) {
  return R"({"audio_filepath": "/abs/a.wav", "text": "yes")" + more + "}\n";
}

TEST(ManifestCorpus, NullsAreAbsentAndNumbersAreIdsAndSpeakers) {
  const TemporaryFolder folder;
  write_text(folder / "m.jsonl",
             manifest_line(R"(, "id": 17, "speaker": 12, "duration": null, "accents": NaN)") +
                 manifest_line(R"(, "id": "b", "speaker": null, "offset": null, "duration": 2)") +
                 manifest_line(R"(, "id": "c", "offset": 3)"));
  const Corpus corpus = read_manifest_corpus(folder / "m.jsonl");
  EXPECT_THAT(corpus.skipped, IsEmpty());
  ASSERT_EQ(corpus.utterances.size(), 3u);
  EXPECT_EQ(corpus.utterances[0].id, "17");
  EXPECT_EQ(corpus.utterances[0].speaker, "12");
  EXPECT_EQ(corpus.utterances[0].seconds, 0);
  EXPECT_EQ(corpus.utterances[1].speaker, "");
  EXPECT_FALSE(corpus.utterances[1].part.is_segment());
  EXPECT_EQ(corpus.utterances[2].part, (AudioPart{3, 0, -1}));  // up to the end
}

TEST(ManifestCorpus, OneBadLineIsSkippedWithItsReasonAndHint) {
  const TemporaryFolder folder;
  const std::string good = manifest_line(R"(, "id": "good")");
  for (const auto& [bad, reason, hint] : std::vector<std::array<std::string, 3>>{
           {R"({"audio_filename": "/a.wav", "text": "a"})", "no \"audio_filepath\"",
            "rename \"audio_filename\""},
           {R"({"audio_filepath": )", "broken JSON", "one JSON object a line"},
           {"[]", "not a JSON object", ""},
           {manifest_line(R"(, "end": 3.5)"), "\"end\" is not read", "\"offset\""},
           {manifest_line(R"(, "speed": 1.1)"), "\"speed\" is not read", ""},
           {manifest_line(R"(, "channel_selector": [0, 1])"), "\"channel_selector\" is [0,1]", ""},
           {manifest_line(R"(, "offset": -1)"), "\"offset\" is -1", ""}}) {
    write_text(folder / "m.jsonl", good + bad + "\n");
    const Corpus corpus = read_manifest_corpus(folder / "m.jsonl");
    EXPECT_EQ(corpus.utterances.size(), 1u) << bad;
    ASSERT_EQ(corpus.skipped.size(), 1u) << bad;
    EXPECT_EQ(corpus.skipped[0].id, (folder / "m.jsonl").string() + ":2");
    EXPECT_THAT(corpus.skipped[0].reason, HasSubstr(reason));
    EXPECT_THAT(corpus.skipped[0].hint, HasSubstr(hint));
  }
}

TEST(ManifestCorpus, OffsetZeroWithTooLongADurationIsTheWholeFile) {
  const TemporaryFolder folder;
  write_sound(folder / "a.wav", voice(0.5, 1));
  write_text(folder / "m.jsonl",
             R"({"audio_filepath": "a.wav", "text": "a", "offset": 0, "duration": 10000})"
             "\n"
             R"({"audio_filepath": "a.wav", "text": "a", "offset": 0, "duration": 0.25, "id": "b"})"
             "\n");
  const Corpus corpus = read_manifest_corpus(folder / "m.jsonl");
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_FALSE(corpus.utterances[0].part.is_segment());
  EXPECT_EQ(corpus.utterances[1].part, (AudioPart{0, 0.25, -1}));
}

TEST(ManifestCorpus, AJsonArrayIsNamed) {
  const TemporaryFolder folder;
  write_text(folder / "m.json", "[" + manifest_line("") + "]");
  EXPECT_THAT(error_of<UserError>([&] { read_manifest_corpus(folder / "m.json"); }),
              HasSubstr("is one JSON array"));
}

}  // namespace
}  // namespace scion
