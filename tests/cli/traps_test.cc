// One of each trap that real corpora set, through the whole program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
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
using scion::testing::ProgramResult;
using scion::testing::run_program;
using scion::testing::write_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;
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

TEST_F(Traps, PrepareTrainEvaluateTranscribe) {
  write_corpus();
  const ProgramResult refused = run("prepare corpus.jsonl --out p --tokenizer.kind char");
  EXPECT_EQ(refused.status, 2);
  const ProgramResult prepared =
      run("prepare corpus.jsonl --out p --tokenizer.kind char --skip_share 0.3");
  ASSERT_EQ(prepared.status, 0) << prepared.error;
  std::cout << refused.error << prepared.error << prepared.out;
  std::cout << read_file(file("p/skipped.jsonl")) << read_file(file("p/manifest.jsonl"));
  const std::string small =
      " --train.epochs 1 --model.conformer.layers 1 --model.conformer.width 8 "
      "--model.conformer.heads 2 --model.conformer.head_width 4 --model.conformer.feed_forward 8 "
      "--model.conformer.subsampling_channels 4";
  const ProgramResult trained = run("train --config p/train.toml --out r" + small);
  ASSERT_EQ(trained.status, 0) << trained.error;
  std::cout << trained.error;
  std::cout << run("inspect r").out;
}

}  // namespace
}  // namespace scion
