#include "tests/cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/audio/audio_file.h"
#include "scion/core/files/json_lines.h"
#include "scion/model/model_file.h"
#include "tests/audio/audio_samples.h"
#include "tests/model/small_models.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using scion::testing::ProgramResult;
using scion::testing::run_program;
using scion::testing::tiny_run;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using Json = nlohmann::json;

// A teacher, trained once for all tests, and what a student needs.
class Program : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    RunConfig config = tiny_run(folder_->path(), 12);
    config.train.epochs = 1;
    config.train.average_last = 1;
    write_file(*folder_ / "teacher.toml", config.to_toml());
    config.model.conformer.layers = 1;
    config.model.conformer.feed_forward = 12;
    write_file(*folder_ / "student.toml", config.to_toml());
    ASSERT_EQ(run("train --config teacher.toml --out teacher").status, 0);
  }
  static void TearDownTestSuite() { delete folder_; }

  static ProgramResult run(const std::string& arguments) {
    return run_program(*folder_, arguments);
  }
  static fs::path file(const std::string& name) { return *folder_ / name; }

  static TemporaryFolder* folder_;
};

TemporaryFolder* Program::folder_ = nullptr;
const std::string kTeacher = "teacher/model.safetensors";

TEST_F(Program, PreparesACorpus) {
  const ProgramResult result = run("prepare small.jsonl --out prepared --tokenizer.kind char");
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_THAT(result.out, AllOf(HasSubstr("utterances  12"), HasSubstr("speakers")));
  const Json summary = Json::parse(read_file(file("prepared/summary.json")));
  EXPECT_EQ(summary.at("parts").at("manifest.jsonl").at("utterances"), 12);
  EXPECT_EQ(summary.at("skipped"), 0);
  EXPECT_TRUE(fs::exists(file("prepared/tokenizer.model")));
  EXPECT_EQ(read_manifest(file("prepared/manifest.jsonl")).size(), 12U);
}

TEST_F(Program, WhatIsPreparedCanBeTrainedOn) {
  const ProgramResult prepared =
      run("prepare small.jsonl --out ready --text.letter_case upper "
          "--tokenizer.kind char");
  ASSERT_EQ(prepared.status, 0) << prepared.error;
  EXPECT_THAT(prepared.out, HasSubstr("scion train --config ready/train.toml"));
  const ProgramResult dumped = run("train --config ready/train.toml --dump-config");
  ASSERT_EQ(dumped.status, 0) << dumped.error;
  EXPECT_THAT(dumped.out, HasSubstr("letter_case = \"upper\""));
  const ProgramResult other =
      run("train --config ready/train.toml --preset an4-student --dump-config");
  ASSERT_EQ(other.status, 0) << other.error;
  EXPECT_THAT(other.out, AllOf(HasSubstr("encoder = \"conformer\""), HasSubstr("\"upper\"")));
  EXPECT_NE(other.out, dumped.out);
  EXPECT_EQ(run("train --config ready/train.toml --preset an4-studnet --dump-config").status, 2);
  const ProgramResult trained =
      run("train --config ready/train.toml --out from-ready" + testing::one_small_epoch);
  EXPECT_EQ(trained.status, 0) << trained.error;
}

TEST_F(Program, ADumpedPreparationNamesEveryOption) {
  const ProgramResult dumped = run("prepare small.jsonl --text.punctuation drop --dump-config");
  ASSERT_EQ(dumped.status, 0) << dumped.error;
  EXPECT_THAT(dumped.out, AllOf(HasSubstr("punctuation = \"drop\""), HasSubstr("[tokenizer]")));
  EXPECT_EQ(run("prepare small.jsonl").status, 2);
}

TEST_F(Program, TranscribesAChannel) {
  const Utterance first = read_manifest(file("small.jsonl")).front();
  const std::vector<float> speech = read_audio(first.audio, 16000).samples;
  std::vector<float> both;
  for (const float value : speech) both.insert(both.end(), {0, value});
  write_sound(file("both.wav"), both, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 2);
  const auto text = [&](const std::string& arguments) {
    const ProgramResult result = run("transcribe " + kTeacher + " " + arguments);
    EXPECT_EQ(result.status, 0) << result.error;
    return result.out.substr(result.out.find('\t') + 1);
  };
  EXPECT_EQ(text("both.wav --channel 1"), text("'" + first.audio.string() + "'"));
  const ProgramResult missing = run("transcribe " + kTeacher + " both.wav --channel 2");
  EXPECT_NE(missing.status, 0);
  EXPECT_THAT(missing.error, HasSubstr("has 2 channels, and channel 2 is wanted"));
}

TEST_F(Program, SelectsTrainsAndInspectsAStudent) {
  const std::string select =
      "select --teacher " + kTeacher + " --student student.toml --layers even-last ";
  const ProgramResult plan = run(select + "--dry-run --json");
  ASSERT_EQ(plan.status, 0) << plan.error;
  EXPECT_EQ(Json::parse(plan.out).at("leaves").empty(), false);
  EXPECT_FALSE(fs::exists(file("start.safetensors")));

  const ProgramResult written = run(select + "--out start.safetensors");
  ASSERT_EQ(written.status, 0) << written.error;
  EXPECT_EQ(Json::parse(read_file(file("start.safetensors.plan.json"))), Json::parse(plan.out));

  const ProgramResult trained =
      run("train --config student.toml --train.init start.safetensors --out student");
  ASSERT_EQ(trained.status, 0) << trained.error;
  const ProgramResult seen = run("inspect student/model.safetensors --json");
  ASSERT_EQ(seen.status, 0) << seen.error;
  EXPECT_THAT(seen.out, AllOf(HasSubstr("even-last"), HasSubstr("encoder.layers.0")));
}

TEST_F(Program, CalibratesAStudent) {
  const std::string select = "select --teacher " + kTeacher + " --student student.toml ";
  ASSERT_EQ(run(select + "--out plain.safetensors").status, 0);
  const ProgramResult calibrated = run("calibrate plain.safetensors small.jsonl --teacher " +
                                       kTeacher + " --ridge 0.1 --out calibrated.safetensors");
  ASSERT_EQ(calibrated.status, 0) << calibrated.error;
  EXPECT_THAT(calibrated.out, AllOf(HasSubstr("joiner.output.weight"), HasSubstr("→"),
                                    HasSubstr("calibrated.safetensors")));
  const Json provenance =
      Json::parse(run("inspect calibrated.safetensors --json").out).at("provenance");
  EXPECT_TRUE(provenance.contains("selected"));
  EXPECT_EQ(provenance.at("calibrated").at("options").at("ridge"), 0.1);

  const ProgramResult older =
      run("calibrate small.jsonl --teacher " + kTeacher +
          " --student plain.safetensors --ridge 0.1 --out older.safetensors");
  ASSERT_EQ(older.status, 0) << older.error;
  EXPECT_EQ(read_file(file("older.safetensors")), read_file(file("calibrated.safetensors")));

  const ProgramResult once = run(
      select +
      "--elements activation --calibration small.jsonl --compensate deviation --out x.safetensors");
  ASSERT_EQ(once.status, 0) << once.error;
  EXPECT_EQ(Json::parse(run("inspect x.safetensors --json").out)
                .at("provenance")
                .at("calibrated")
                .at("options")
                .at("compensate"),
            "deviation");
}

TEST_F(Program, EvaluatesTranscribesAndScores) {
  const ProgramResult evaluated =
      run("evaluate --model " + kTeacher +
          " --manifest small.jsonl --hypotheses hypotheses.jsonl --speakers --json");
  ASSERT_EQ(evaluated.status, 0) << evaluated.error;
  const Json rates = Json::parse(evaluated.out);
  EXPECT_FALSE(rates.at("speakers").empty());

  const ProgramResult scored = run("score --ref small.jsonl --hyp hypotheses.jsonl --json");
  ASSERT_EQ(scored.status, 0) << scored.error;
  EXPECT_THAT(scored.out, HasSubstr("wer_interval"));
  EXPECT_NEAR(Json::parse(scored.out).at("wer").get<double>(), rates.at("wer").get<double>(), 1e-9);

  const Utterance first = read_manifest(file("small.jsonl")).front();
  const ProgramResult text =
      run("transcribe " + kTeacher + " '" + first.audio.string() + "' --json");
  ASSERT_EQ(text.status, 0) << text.error;
  EXPECT_NO_THROW(Json::parse(text.out.substr(0, text.out.find('\n'))).at("text"));
}

TEST_F(Program, WritesAndReadsNistFormats) {
  // One epoch teaches little more than blanks. Without them every frame emits, so that the files
  // hold words.
  ModelFile model = load_model(file(kTeacher));
  {
    const at::NoGradGuard no_grad;
    model.model->registry().find("joiner.output.bias")->tensor[blank] = -1000;
  }
  save_model(file("emits.safetensors"), *model.model, model.tokenizer, model.provenance);
  for (const char* form : {"trn", "ctm"}) {
    const std::string name = std::string("hypotheses.") + form;
    const ProgramResult evaluated = run(fmt::format(
        "evaluate --model emits.safetensors --manifest small.jsonl --json --hypotheses {}", name));
    ASSERT_EQ(evaluated.status, 0) << evaluated.error;
    const ProgramResult scored =
        run("score --ref small.jsonl --missing-as-empty --json --confusions 3 --hyp " + name);
    ASSERT_EQ(scored.status, 0) << scored.error;
    EXPECT_EQ(Json::parse(scored.out).at("wer"), Json::parse(evaluated.out).at("wer"));
    EXPECT_TRUE(Json::parse(scored.out).at("confusions").contains("deletions"));
  }
  const Utterance first = read_manifest(file("small.jsonl")).front();
  const ProgramResult text =
      run("transcribe " + kTeacher + " '" + first.audio.string() + "' --format trn");
  ASSERT_EQ(text.status, 0) << text.error;
  EXPECT_THAT(text.out, EndsWith("(" + first.audio.stem().string() + ")\n"));
}

// The words of each utterance in a CTM, in order.
std::map<std::string, std::vector<std::string>> words_of_ctm(const std::string& text) {
  std::map<std::string, std::vector<std::string>> words;
  std::istringstream lines(text);
  for (std::string line, id, channel, start, duration, word; std::getline(lines, line);)
    if (!line.starts_with(";;") &&
        std::istringstream(line) >> id >> channel >> start >> duration >> word)
      words[id].push_back(word);
  return words;
}

TEST_F(Program, AlignsWhatItCanAndNamesTheRest) {
  std::vector<Utterance> utterances = read_manifest(file("small.jsonl"));
  utterances.resize(5);
  utterances[2].part = {.begin_seconds = 0.1, .seconds = 0.03};
  utterances[2].seconds = 0.03;
  utterances[3].audio = file("none.wav");
  write_manifest(file("some.jsonl"), utterances);
  const ProgramResult result = run("align " + kTeacher + " some.jsonl --ctm a.ctm --json a.jsonl");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.error, HasSubstr("2 of 5 utterances are not aligned"));
  const auto words = words_of_ctm(read_file(file("a.ctm")));
  EXPECT_EQ(words.size(), 3U);
  for (const size_t i : {0u, 1u, 4u})
    EXPECT_EQ(fmt::format("{}", fmt::join(words.at(utterances[i].id), " ")), utterances[i].text);

  std::map<std::string, Json> lines;
  for (const Json& line : read_json_lines(file("a.jsonl"))) lines[line.at("id")] = line;
  ASSERT_EQ(lines.size(), 5U);
  for (const size_t i : {2u, 3u}) {
    const std::string& id = utterances[i].id;
    EXPECT_TRUE(lines.at(id).at("words").empty());
    const std::string reason = lines.at(id).at("reason");
    EXPECT_THAT(result.error, HasSubstr(fmt::format("{} is not aligned: {}", id, reason)));
  }
  EXPECT_THAT(lines.at(utterances[2].id).at("reason").get<std::string>(),
              HasSubstr("more than 0.03 s of audio can hold"));
  EXPECT_THAT(lines.at(utterances[3].id).at("reason").get<std::string>(), HasSubstr("none.wav"));
  EXPECT_FALSE(lines.at(utterances[0].id).contains("reason"));
  EXPECT_EQ(lines.at(utterances[0].id).at("words").size(), words.at(utterances[0].id).size());

  // Without --ctm the times go to standard output, and scoring takes them for what they are.
  const ProgramResult printed = run("align " + kTeacher + " some.jsonl 2>/dev/null");
  EXPECT_EQ(printed.out, read_file(file("a.ctm")));
  utterances = {utterances[0], utterances[1], utterances[4]};
  write_manifest(file("aligned.jsonl"), utterances);
  EXPECT_EQ(run("align " + kTeacher + " aligned.jsonl").status, 0);
  const ProgramResult scored = run("score --ref aligned.jsonl --hyp a.ctm --json");
  ASSERT_EQ(scored.status, 0) << scored.error;
  EXPECT_EQ(Json::parse(scored.out).at("wer"), 0);
}

// Samples on standard input: with a WAV header or without, and with half a sample at the end.
TEST_F(Program, RecognisesAStreamOfSamples) {
  // Blanks do not hide anything: every frame emits.
  const ModelFile teacher = load_model(file(kTeacher));
  Transducer streaming(testing::small_config_of_kind("causal"),
                       Tokenizer(teacher.tokenizer).size());
  testing::randomise(streaming, 1);
  {
    const at::NoGradGuard no_grad;
    streaming.registry().find("joiner.output.bias")->tensor[blank] = -1000;
  }
  save_model(file("streaming.safetensors"), streaming, teacher.tokenizer, teacher.provenance);
  const std::string model = "streaming.safetensors ";

  const Utterance first = read_manifest(file("small.jsonl")).front();
  const std::vector<float> speech = read_audio(first.audio, 16000).samples;
  write_sound(file("speech.wav"), speech);
  const std::string wav = read_file(file("speech.wav"));
  write_file(file("speech.raw"), wav.substr(44));
  write_file(file("odd.raw"), wav.substr(44) + "x");
  write_sound(file("slow.wav"), speech, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000);
  const auto stream = [&](const std::string& name) {
    return run("transcribe " + model + "--streaming - < " + name);
  };
  const auto text = [](const std::string& line) { return line.substr(line.find('\t') + 1); };
  const ProgramResult raw = stream("speech.raw"), headed = stream("speech.wav");
  ASSERT_EQ(raw.status, 0) << raw.error;
  ASSERT_EQ(headed.status, 0) << headed.error;
  EXPECT_EQ(headed.out, raw.out);
  EXPECT_GT(text(raw.out).size(), 10U);
  EXPECT_EQ(text(raw.out), text(run("transcribe " + model + "--streaming speech.wav").out));
  const ProgramResult odd = stream("odd.raw");
  EXPECT_EQ(odd.out, raw.out);
  EXPECT_THAT(odd.error, HasSubstr("half a sample"));
  const ProgramResult slow = stream("slow.wav");
  EXPECT_EQ(slow.status, 1);
  EXPECT_THAT(slow.error, AllOf(HasSubstr("8000"), HasSubstr("ffmpeg")));
}

TEST_F(Program, TranscribesTheOthersWhenOneFileIsBad) {
  const fs::path good = read_manifest(file("small.jsonl")).front().audio;
  write_file(file("broken.wav"), "RIFF no audio");
  const std::string bytes = read_file(good), extension = good.extension().string();
  const std::string latin1 = "caf\xe9" + extension, control = "a\nb\x1b" + extension;
  for (const std::string& name : {"one/same" + extension, "two/same" + extension, latin1, control})
    write_file(file(name), bytes);
  const std::string files =
      fmt::format("broken.wav one/same{0} two/same{0} '{1}' '{2}'", extension, latin1, control);

  const ProgramResult json = run("transcribe --json " + kTeacher + " " + files);
  EXPECT_EQ(json.status, 1);
  EXPECT_THAT(json.error, AllOf(HasSubstr("broken.wav"), HasSubstr("1 of 5 files")));
  std::vector<std::string> ids;
  std::istringstream lines(json.out);
  for (std::string line; std::getline(lines, line);) ids.push_back(Json::parse(line).at("id"));
  EXPECT_THAT(ids, ::testing::ElementsAre("one/same", "two/same", "caf\ufffd", "a_b_"));

  const ProgramResult trn = run("transcribe --format trn " + kTeacher + " " + files);
  EXPECT_THAT(trn.out, AllOf(HasSubstr("(one/same)"), HasSubstr("(two/same)")));
  const ProgramResult text = run("transcribe " + kTeacher + " " + files);
  EXPECT_EQ(std::count(text.out.begin(), text.out.end(), '\n'), 4);
  EXPECT_THAT(text.out, HasSubstr("a\\nb\\x1b"));
}

TEST_F(Program, InspectsARunsFolder) {
  const ProgramResult text = run("inspect teacher");
  ASSERT_EQ(text.status, 0) << text.error;
  EXPECT_THAT(text.out, AllOf(HasSubstr("finished: epoch 1.00 of 1"), HasSubstr("M parameters"),
                              HasSubstr("events.out.tfevents."), HasSubstr("12 utterances")));
  const Json json = Json::parse(run("inspect teacher --json").out);
  EXPECT_EQ(json.at("finished"), true);
  EXPECT_EQ(json.at("sets").at("train").at("evaluations"), 1);
}

TEST_F(Program, InspectsAComparisonsFolder) {
  fs::create_directories(file("study/teachers"));
  fs::copy(fs::path(SCION_SOURCE_DIR) / "recipes/an4/compare.toml", file("study/recipe.toml"));
  fs::copy(file("teacher"), file("study/teachers/seed-1"), fs::copy_options::recursive);
  write_file(file("study/teachers/seed-1/run.toml"), "");
  write_file(file("study/students/full/xavier/seed-1/run.toml"), "");
  const ProgramResult text = run("inspect study");
  ASSERT_EQ(text.status, 0) << text.error;
  EXPECT_THAT(text.out, AllOf(HasSubstr("not finished: 1 of 2 started runs"), HasSubstr("1.0 of 1"),
                              HasSubstr("students/full/xavier/seed-1  not started")));
  const Json json = Json::parse(run("inspect study --json").out);
  EXPECT_EQ(json.at("kind"), "study");
  EXPECT_EQ(json.at("runs").at(0).at("name"), "teachers/seed-1");
  EXPECT_EQ(json.at("runs").at(0).at("updates").get<int64_t>() > 0, true);
  EXPECT_EQ(json.at("runs").at(1).at("begun"), false);
}

TEST_F(Program, ADumpedConfigurationDumpsItself) {
  const ProgramResult first = run("train --config student.toml --train.peak_lr 7e-3 --dump-config");
  ASSERT_EQ(first.status, 0) << first.error;
  EXPECT_THAT(first.out, HasSubstr("peak_lr = 0.007"));
  EXPECT_THAT(run("train --config student.toml --data.cache kept --dump-config").out,
              HasSubstr("cache = \"" + file("kept").string() + "\""));
  write_file(file("dumped.toml"), first.out);
  EXPECT_EQ(run("train --config dumped.toml --dump-config").out, first.out);
}

TEST_F(Program, ManualPageIsWhatTheDeclarationsSay) {
  EXPECT_EQ(read_file(fs::path(SCION_SOURCE_DIR) / "docs/scion.1"), run("manual").out)
      << "run 'make docs'";
}

TEST_F(Program, CompletesInBash) {
  const auto complete = [](const std::string& words) {
    write_file(file("complete.sh"), "source <('" SCION_PROGRAM
                                    "' completion bash)\n"
                                    "COMP_WORDS=(" +
                                        words +
                                        ")\n"
                                        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                        "_scion\necho \"${COMPREPLY[@]}\"\n");
    const std::string command = "cd '" + folder_->path().string() + "' && bash complete.sh >.out";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return read_file(file(".out"));
  };
  EXPECT_EQ(complete("scion tr"), "train transcribe\n");
  EXPECT_EQ(complete("scion train --train.peak"), "--train.peak_lr\n");
  EXPECT_EQ(complete("scion train --train.schedule ''"), "cosine noam constant\n");
  EXPECT_EQ(complete("scion evaluate --precision b"), "bf16\n");
  EXPECT_EQ(complete("scion completion f"), "fish\n");
  EXPECT_EQ(complete("scion inspect student.t"), "student.toml\n");
}

struct Mistake {
  std::string arguments, message, hint;
};

TEST_F(Program, SaysWhatIsWrongAndWhatToDo) {
  write_file(file("broken.toml"), "[train]\nepochs = -3\n");
  write_file(file("nonsense.safetensors"), "nonsense");
  write_file(file("wider.toml"), R"([model]
preset = "conformer-9m"
)");
  const Mistake mistakes[] = {
      {"evaluate --model missing.safetensors --manifest small.jsonl", "missing.safetensors", ""},
      {"evaluate --model nonsense.safetensors --manifest small.jsonl", "nonsense.safetensors", ""},
      {"evaluate --model " + kTeacher + " --manifest missing.jsonl", "missing.jsonl", ""},
      {"transcribe " + kTeacher + " missing.wav", "missing.wav", ""},
      {"train --config missing.toml --out x", "missing.toml", ""},
      {"train --config broken.toml --out x", "epochs", "1"},
      {"train --config teacher.toml --out x --train.peak_rl 3", "peak_rl", "peak_lr"},
      {"train --config teacher.toml --out /proc/x", "/proc/x", ""},
      {"select --teacher " + kTeacher + " --student wider.toml --out y", "model.",
       "set the student's"},
      {"select --teacher " + kTeacher + " --student student.toml --rules papr --out y", "papr",
       "paper"},
      {"calibrate " + kTeacher + " --teacher " + kTeacher, "manifest", "MODEL MANIFEST"},
      {"calibrate " + kTeacher + " small.jsonl --teacher " + kTeacher,
       "was not selected from a teacher", "scion select"},
      {"compare missing.toml --out x", "missing.toml", ""},
      {"score --ref missing --hyp small.jsonl", "missing", ""},
      {"prepare small.jsonl --out .", "already", ""},
      {"train --config teacher.toml --out x --train.device tpu", "tpu", ""},
      {"trian", "trian", "did you mean 'train'?"},
      {"evaluate --modle x --manifest small.jsonl", "--model", "did you mean --model?"},
      {"score --ref small.jsonl --hyp small.jsonl --jsn", "--jsn", "did you mean --json?"},
      {"config --preset conformer-9n", "conformer-9n", "did you mean 'conformer-9m'?"},
      {"inspect .", "neither", "scion train"},
      {"inspect absent", "absent", ""},
      {"train --config teacher.toml --dump-confg", "--dump-confg", "did you mean --dump-config?"},
      {"train --config teacher.toml --out x --train.init xavire", "xavire", "xavier"},
      {"score --ref small.jsonl --hyp small.jsonl --speakers-from-id", "--speakers-from-id",
       "--speakers-from-ids"},
  };
  for (const Mistake& mistake : mistakes) {
    const ProgramResult result = run(mistake.arguments);
    EXPECT_TRUE(result.status == 1 || result.status == 2) << mistake.arguments << result.status;
    EXPECT_THAT(result.error, HasSubstr("error: ")) << mistake.arguments;
    EXPECT_THAT(result.error, HasSubstr("hint: ")) << mistake.arguments;
    EXPECT_THAT(result.error, AllOf(HasSubstr(mistake.message), HasSubstr(mistake.hint)))
        << mistake.arguments;
  }
  EXPECT_FALSE(fs::exists(file("y")));
}

}  // namespace
}  // namespace scion
