#include "tests/cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using scion::testing::ProgramResult;
using scion::testing::run_program;
using scion::testing::tiny_run;
using ::testing::AllOf;
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
  EXPECT_EQ(Json::parse(read_file(file("prepared/summary.json"))).dump().empty(), false);
  EXPECT_TRUE(fs::exists(file("prepared/tokenizer.model")));
  EXPECT_EQ(read_manifest(file("prepared/manifest.jsonl")).size(), 12U);
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

TEST_F(Program, EvaluatesTranscribesAndScores) {
  const ProgramResult evaluated =
      run("evaluate --model " + kTeacher +
          " --manifest small.jsonl --hypotheses hypotheses.jsonl --json");
  ASSERT_EQ(evaluated.status, 0) << evaluated.error;
  const Json rates = Json::parse(evaluated.out);

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
      {"compare missing.toml --out x", "missing.toml", ""},
      {"score --ref missing --hyp small.jsonl", "missing", ""},
      {"prepare small.jsonl --out .", "already", ""},
      {"train --config teacher.toml --out x --train.device tpu", "tpu", ""},
      {"trian", "trian", "did you mean 'train'?"},
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
