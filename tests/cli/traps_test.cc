// One of each trap that real corpora set, through the whole program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scion/core/files/json_lines.h"
#include "scion/data/manifest/manifest.h"
#include "tests/audio/audio_samples.h"
#include "tests/audio/mpeg_files.h"
#include "tests/cli/program.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using scion::testing::bytes_of;
using scion::testing::mp3_without_info;
using scion::testing::mpeg_samples;
using scion::testing::ProgramResult;
using scion::testing::run_program;
using scion::testing::write_bytes;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Json = nlohmann::json;

class Traps : public ::testing::Test {
 protected:
  ProgramResult run(const std::string& arguments) { return run_program(folder_, arguments); }
  fs::path file(const std::string& name) const { return folder_ / name; }

  // A line of a NeMo manifest; `more` are further keys.
  void line(const std::string& audio, const std::string& text, const std::string& more = "") {
    manifest_ +=
        fmt::format("{{\"audio_filepath\": \"{}\", \"text\": {}{}}}\r\n", audio, text, more);
  }
  void speech(const std::string& name, double seconds) {
    write_sound(file(name), voice(seconds, ++voices_));
  }

  void write_audio() {
    for (int i = 0; i < 16; ++i) speech(fmt::format("g{:02}.wav", i), 1.2);
    write_bytes(file("bare.mp3"), mp3_without_info(file("scratch.mp3"), 2));
    speech("size.wav", 1);
    std::string wav = bytes_of(file("size.wav"));
    wav.replace(4, 4, std::string("\x24\0\0\0", 4));
    write_bytes(file("size.wav"), wav);
    speech("cut.wav", 1);
    cut_file(file("cut.wav"), 0.5);
    std::vector<float> beyond = voice(1, 50);
    for (float& sample : beyond) sample *= 30000;
    write_sound(file("beyond.wav"), beyond, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
    write_sound(file("silent.wav"), std::vector<float>(16000));
    std::vector<float> opposite;
    for (const float sample : voice(1, 51)) opposite.insert(opposite.end(), {sample, -sample});
    write_sound(file("opposite.wav"), opposite, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2);
    speech("d/0.wav", 1);
    speech("e/0.wav", 1);
    speech("a, b.wav", 1);
    speech("long.wav", 35);
    speech("fast.wav", 0.4);
  }

  void write_corpus() {
    write_audio();
    const char* texts[] = {"one two", "three four", "five six", "seven eight nine"};
    for (int i = 0; i < 16; ++i) line(fmt::format("g{:02}.wav", i), Json(texts[i % 4]).dump());
    line("bare.mp3", "\"nine one\"", R"(, "id": 17, "speaker": 12, "accents": NaN)");
    line("size.wav", "\"two three\"", R"(, "offset": 0, "duration": 10000)");
    line("cut.wav", "\"one\"");
    line("beyond.wav", "\"one\"");
    line("silent.wav", "\"one\"");
    line("opposite.wav", "\"one\"");
    line("d/0.wav", "\"one\"");
    line("e/0.wav", "\"two\"");
    line("a, b.wav", "\"\\u00a0one\\u3000two\\t\"");
    line("long.wav", "\"one two three\"");
    line("fast.wav", "\"one two three four five six seven eight nine\"");
    line("g00.wav", "null", R"(, "id": "null")");
    line("none.wav", "\"one\"");
    line("g01.wav", "\"one\"", R"(, "id": "speed", "speed": 1.1)");
    write_bytes(file("corpus.jsonl"), "\xEF\xBB\xBF" + manifest_);
  }

  TemporaryFolder folder_;
  std::string manifest_;
  uint64_t voices_ = 0;
};

// The kinds of reasons with their counts.
std::map<std::string, int> counted_reasons(const fs::path& skipped) {
  std::map<std::string, int> counts;
  for (const Json& line : read_json_lines(skipped)) ++counts[line.at("reason")];
  return counts;
}

TEST_F(Traps, PrepareTrainEvaluateTranscribe) {
  write_corpus();
  // prepare: says what is wrong before it goes on without it.
  const std::string prepare = "prepare corpus.jsonl --out p --tokenizer.kind char";
  const ProgramResult refused = run(prepare);
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.error, HasSubstr("p.skipped.jsonl lists all that are skipped"));
  EXPECT_FALSE(fs::exists(file("p")));
  const ProgramResult prepared = run(prepare + " --skip_share 0.3");
  ASSERT_EQ(prepared.status, 0) << prepared.error;
  EXPECT_THAT(counted_reasons(file("p/skipped.jsonl")),
              UnorderedElementsAre(
                  Pair("\"speed\" is not read", 1), Pair("no text", 1),
                  Pair("audio file is missing: none.wav", 1),
                  Pair("samples reach 8168 where full scale is 1", 1),
                  Pair("audio file is cut short: cut.wav (15978 bytes of samples of 32000)", 1)));
  for (const char* warning :
       {"1 utterance with several channels, which were averaged; --channel chooses one (opposite)",
        "channels that cancel each other", "1 utterance of silence",
        "more than 40 characters of text per second; check times and texts (fast)",
        "fewer than 0.5 characters of text per second; check times and texts (long)"})
    EXPECT_THAT(prepared.error, HasSubstr(warning));

  std::map<std::string, Utterance> utterances;
  for (const Utterance& utterance : read_manifest(file("p/manifest.jsonl")))
    utterances[utterance.id] = utterance;
  EXPECT_EQ(utterances.size(), 25U);
  EXPECT_EQ(utterances.at("17").speaker, "12");
  const double decoded = double(mpeg_samples(bytes_of(file("bare.mp3")))) / 16000;
  EXPECT_NEAR(utterances.at("17").seconds, decoded, 1e-9);
  EXPECT_EQ(utterances.at("size").seconds, 1);
  EXPECT_EQ(utterances.at("d/0").text, "one");
  EXPECT_EQ(utterances.at("e/0").text, "two");
  EXPECT_EQ(utterances.at("a,_b").text, "one two");

  // train: what is too long is said and left out of the provenance.
  const ProgramResult trained =
      run("train --config p/train.toml --out r" + testing::one_small_epoch);
  ASSERT_EQ(trained.status, 0) << trained.error;
  EXPECT_THAT(trained.error, HasSubstr("1 of 25 utterances (0.01 of 0.02 h) are longer than "
                                       "loader.longest_seconds = 30 and are not trained on"));
  const Json provenance =
      Json::parse(run("inspect r/model.safetensors --json").out).at("provenance").at("trained");
  EXPECT_EQ(provenance.at("utterances"), 24);
  double seconds = 0;
  for (const auto& [id, utterance] : utterances) seconds += id == "long" ? 0 : utterance.seconds;
  EXPECT_NEAR(provenance.at("hours").get<double>(), seconds / 3600, 1e-9);

  // evaluate: everything counts, also what is too long, empty, or not in the alphabet.
  const std::string test =
      bytes_of(file("p/manifest.jsonl")) +
      R"({"id": "x", "audio_filepath": "../g00.wav", "duration": 1.2, "text": "caf\u00e9"})"
      "\n"
      R"({"id": "y", "audio_filepath": "../g01.wav", "duration": 1.2, "text": ""})"
      "\n";
  write_bytes(file("p/test.jsonl"), test);
  const ProgramResult evaluated = run("evaluate r/model.safetensors p/test.jsonl --json");
  ASSERT_EQ(evaluated.status, 0) << evaluated.error;
  const Json rates = Json::parse(evaluated.out);
  EXPECT_EQ(rates.at("utterances").size(), 27U);
  EXPECT_EQ(rates.at("unwritable_references"), 1);
  int64_t words = 1;
  for (const auto& [id, utterance] : utterances)
    words += 1 + std::count(utterance.text.begin(), utterance.text.end(), ' ');
  EXPECT_EQ(rates.at("words"), words);

  // transcribe: bad files cost no other its text.
  const ProgramResult transcribed =
      run("transcribe --json r/model.safetensors g00.wav cut.wav none.wav bare.mp3 size.wav "
          "silent.wav d/0.wav e/0.wav 'a, b.wav' long.wav");
  EXPECT_EQ(transcribed.status, 1);
  EXPECT_THAT(transcribed.error,
              AllOf(HasSubstr("cut.wav"), HasSubstr("none.wav"), HasSubstr("2 of 10 files")));
  std::vector<std::string> ids;
  std::istringstream lines(transcribed.out);
  for (std::string line; std::getline(lines, line);) ids.push_back(Json::parse(line).at("id"));
  EXPECT_THAT(ids, ElementsAre("g00", "bare", "size", "silent", "d/0", "e/0", "a,_b", "long"));
}

}  // namespace
}  // namespace scion
