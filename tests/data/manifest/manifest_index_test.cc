#include "scion/data/manifest/manifest_index.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/random.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// What the two readers say of a text: the same utterances, or the same complaint.
void expect_same_reading(const std::string& text) {
  const TemporaryFolder folder;
  const fs::path path = folder / "m.jsonl";
  write_text(path, text);
  std::vector<Utterance> expected;
  const std::string complaint = error_of<UserError>([&] { expected = read_manifest(path); });
  if (!complaint.empty()) {
    EXPECT_EQ(error_of<UserError>([&] { ManifestIndex index(path); }), complaint) << text;
    return;
  }
  const ManifestIndex index(path);
  ASSERT_EQ(index.size(), expected.size()) << text;
  for (size_t i = 0; i < expected.size(); ++i) {
    const Utterance utterance = index.utterance(i);
    EXPECT_EQ(utterance.id, expected[i].id);
    EXPECT_EQ(utterance.audio, expected[i].audio);
    EXPECT_EQ(utterance.text, expected[i].text);
    EXPECT_EQ(utterance.speaker, expected[i].speaker);
    EXPECT_EQ(utterance.part, expected[i].part);
    EXPECT_EQ(index.seconds(i), expected[i].seconds);
    EXPECT_EQ(index.id_hash(i), stable_hash(expected[i].id)) << text;
  }
}

TEST(ManifestIndex, ReadsWhatTheManifestReaderReads) {
  const std::string a =
      R"({"id": "a\u00e9", "audio_filepath": "x.wav", "duration": 1.1, "text": "b"})";
  const std::string b = R"({"audio_filepath": "d/y.z.wav", "duration": 2, "text": ""})";
  const std::string c =
      R"({"audio_filepath": "x.wav", "offset": 0, "duration": 0.3, "text": "c", "channel": "mix"})";
  const std::string d =
      R"( {"text": "n", "more": {"id": [3]}, "speaker": "s", "duration": 1e1, "offset": 12.3456, )"
      R"("audio_filepath": "w.flac", "id": ""} )";
  expect_same_reading(a + "\n" + b + "\n" + c + "\n" + d);
  expect_same_reading("\n \n" + d + "\r\n\n" + c + "\r\n" + a + "\n\n");
  // Ids from paths where stems repeat, numbers as ids, nulls, Python's NaN, a byte order mark.
  const std::string e = R"({"audio_filepath": "d/0.wav", "duration": 2, "text": ""})";
  const std::string f = R"({"audio_filepath": "e/0.wav", "duration": 2, "text": null})";
  const std::string g =
      R"({"id": 7, "audio_filepath": "e/0.wav", "duration": 2, "text": 3, "x": NaN, "speaker": null})";
  expect_same_reading(e + "\n" + f + "\n" + g + "\n" + b);
  expect_same_reading("\xEF\xBB\xBF" + a + "\r\n" + b);
  // The last of several equal keys counts.
  expect_same_reading(
      R"({"id": "p", "audio_filepath": "x", "duration": 1, "text": "a", "id": "q", "duration": 2})");
}

TEST(ManifestIndex, RefusesWhatTheManifestReaderRefuses) {
  const std::string good = R"({"audio_filepath": "x.wav", "duration": 1, "text": "a"})";
  for (const std::string bad :
       {R"({"audio_)", R"([1])", R"({"duration": 1, "text": ""})", R"({"audio_filepath": "x"})",
        R"({"audio_filepath": "x", "duration": 1})",
        R"({"audio_filepath": "", "duration": 1, "text": ""})",
        R"({"audio_filepath": 3, "duration": 1, "text": ""})",
        R"({"audio_filepath": "x", "duration": -1, "text": ""})",
        R"({"audio_filepath": "x", "duration": "1", "text": ""})",
        R"({"audio_filepath": "x", "duration": 1, "text": "", "id": true})",
        R"({"audio_filepath": "x", "duration": 1, "text": "", "speaker": [7]})",
        R"({"audio_filepath": "x", "duration": null, "text": ""})",
        R"({"audio_filepath": "x", "duration": 1, "text": "", "end": 2})",
        R"({"audio_filename": "x", "duration": 1, "text": ""})",
        R"({"audio_filepath": "x", "duration": 0, "text": "", "offset": 1})",
        R"({"audio_filepath": "x", "duration": 1, "text": "", "offset": -1})",
        R"({"audio_filepath": "x", "duration": 1, "text": "", "channel": "left"})",
        R"({"audio_filepath": "y", "duration": 1, "text": ""} {})", "{\"text\": \"\xff\"}"})
    expect_same_reading(fmt::format("{}\n\n{}\n", good, bad));
  expect_same_reading(fmt::format("{0}\n\n{0}\n", good));
  expect_same_reading("");
  expect_same_reading("\xFF\xFE{");
  expect_same_reading("version https://git-lfs.github.com/spec/v1\n");
  expect_same_reading("\n \n");
  EXPECT_THAT(error_of<UserError>([] { ManifestIndex index("/none/m.jsonl"); }),
              HasSubstr("/none/m.jsonl"));
}

TEST(ManifestIndex, EqualHashesAreFoundInOrder) {
  using Pairs = std::vector<std::pair<size_t, size_t>>;
  EXPECT_EQ(equal_hashes({}), Pairs{});
  EXPECT_EQ(equal_hashes({5, 4, 3}), Pairs{});
  EXPECT_EQ(equal_hashes({9, 2, 9, 1, 2, 9}), (Pairs{{0, 2}, {1, 4}, {0, 5}}));
}

}  // namespace
}  // namespace scion
