#include "scion/data/corpora/layouts/archives.h"

#include <gmock/gmock.h>

#include "scion/core/files/file.h"
#include "scion/data/corpora/prepare.h"
#include "tests/core/files/tar_files.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string flac_bytes(const TemporaryFolder& folder, double seconds, uint64_t seed) {
  write_sound(folder / "sound.flac", voice(seconds, seed), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  return read_file(folder / "sound.flac");
}

/// "id text seconds" of the prepared manifest, whose audio lies in the folder itself.
std::vector<std::string> prepared_lines(const fs::path& source, const fs::path& out) {
  prepare({}, source, out);
  std::vector<std::string> lines;
  for (const Utterance& one : read_manifest(out / "manifest.jsonl")) {
    EXPECT_EQ(one.audio.lexically_normal().parent_path(), out / "audio");
    EXPECT_TRUE(fs::exists(one.audio)) << one.audio;
    lines.push_back(fmt::format("{} {} {:.2f}", one.id, one.text, one.seconds));
  }
  return lines;
}

TEST(Archives, ShardsOfWenetAreUnpackedIntoThePreparedFolder) {
  const TemporaryFolder folder;
  write_file(folder / "shards/0.tar", tar_member("a.txt", "one two\n") +
                                          tar_member("a.flac", flac_bytes(folder, 0.3, 1)) +
                                          tar_member("d/b.flac", flac_bytes(folder, 0.4, 2)) +
                                          tar_member("d/b.txt", "four five six") + tar_end());
  write_file(folder / "shards/1.tar",
             tar_member("c.txt", "three") + tar_member("c.flac", flac_bytes(folder, 0.5, 3)));
  write_text(folder / "data.list", "shards/0.tar\nshards/1.tar\n");
  EXPECT_THAT(prepared_lines(folder / "data.list", folder / "out"),
              ElementsAre("a one two 0.30", "d/b four five six 0.40", "c three 0.50"));
  EXPECT_THAT(prepared_lines(folder / "shards/1.tar", folder / "out1"),
              ElementsAre("c three 0.50"));
}

TEST(Archives, NothingIsWrittenOutsideTheFolder) {
  const TemporaryFolder folder;
  write_file(folder / "in/0.tar",
             tar_member("../../up.txt", "one") + tar_member("../../up.wav", "x") +
                 tar_member("/abs/.up.wav", "y") + tar_member("lone.wav", "z") + tar_end());
  const Corpus corpus = read_shards(folder / "in/0.tar", folder / "in/unpacked");
  ASSERT_EQ(corpus.utterances.size(), 1U);
  EXPECT_EQ(corpus.utterances[0].audio, folder / "in/unpacked/up.wav");
  EXPECT_THAT(folder.names(), ElementsAre("in"));
  EXPECT_TRUE(fs::exists(folder / "in/unpacked/_up.wav"));
  EXPECT_EQ(corpus.skipped.size(), 2U);
  EXPECT_THAT(corpus.remarks, ElementsAre(HasSubstr("3 audio files")));
}

TEST(Archives, ADamagedShardIsSkippedFromThereOn) {
  const TemporaryFolder folder;
  write_file(folder / "0.tar", tar_member("a.txt", "one") + tar_member("a.wav", "x") +
                                   tar_member("b.wav", std::string(2000, 'y')).substr(0, 700));
  const Corpus corpus = read_shards(folder / "0.tar", folder / "unpacked");
  EXPECT_EQ(corpus.utterances.size(), 1U);
  EXPECT_THAT(corpus.skipped.at(0).reason, HasSubstr("is cut short"));
}

TEST(Archives, LhotseShar) {
  const TemporaryFolder folder;
  const auto cut = [](const std::string& id, const std::string& text, double seconds,
                      const std::string& source = "shar", const std::string& file = "") {
    return fmt::format(
        R"({{"id": "{0}", "start": 0, "duration": {2}, "channel": 0, "type": "MonoCut",)"
        R"( "supervisions": [{{"id": "s-{0}", "recording_id": "r", "start": 0, "duration": {2},)"
        R"( "channel": 0, "text": "{1}", "speaker": "x"}}], "recording": {{"id": "r",)"
        R"( "sources": [{{"type": "{4}", "channels": [0], "source": "{5}"}}],)"
        R"( "sampling_rate": 16000, "num_samples": {3}, "duration": {2}}}}})"
        "\n",
        id, text, seconds, size_t(seconds * 16000), source, file);
  };
  write_text(folder / "shar/cuts.000000.jsonl", cut("a", "one two", 0.3) + cut("b", "three", 0.4));
  write_text(folder / "shar/cuts.000001.jsonl", cut("c/1", "seven", 0.5));
  write_file(folder / "shar/recording.000000.tar",
             tar_member("a.flac", flac_bytes(folder, 0.3, 1)) + tar_member("a.json", "{}") +
                 tar_member("b.flac", flac_bytes(folder, 0.4, 2)) + tar_member("b.json", "{}"));
  write_file(folder / "shar/recording.000001.tar",
             tar_member("c/1.flac", flac_bytes(folder, 0.5, 3)) + tar_end());
  EXPECT_THAT(prepared_lines(folder / "shar", folder / "out"),
              ElementsAre("s-a one two 0.30", "s-b three 0.40", "s-c/1 seven 0.50"));
  // A file beside the cuts stays where it is.
  write_text(folder / "shar/cuts.000002.jsonl", cut("d", "eight", 0.6, "file", "d.wav"));
  write_sound(folder / "shar/d.wav", voice(0.6, 4));
  const Corpus corpus = read_lhotse_shar(folder / "shar", folder / "unpacked");
  ASSERT_EQ(corpus.utterances.size(), 4U);
  EXPECT_EQ(corpus.utterances[3].audio, folder / "shar/d.wav");
}

}  // namespace
}  // namespace scion
