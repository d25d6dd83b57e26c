// What an interrupted run accepts when it continues.
#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/log_sink.h"
#include "scion/model/model_file.h"
#include "scion/training/run/run_folder.h"
#include "scion/training/trainer.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Interruption : public std::exception {};

// A run of two epochs that ended in its first, after a checkpoint. Later log lines are in lines_.
class ContinuedRun : public ::testing::Test {
 protected:
  ContinuedRun() : config_(testing::tiny_run(folder_.path(), 12)) {
    config_.train.epochs = 2;
    config_.train.average_last = 1;
    config_.train.schedule = Schedule::constant;
    config_.train.checkpoint.every = Span::updates(1);
    // A line of progress may come before the first checkpoint.
    set_log_sink([this](LogLevel, std::string_view line) {
      if (line.starts_with("epoch 1/") && !RunFiles(folder_ / "run").checkpoint_names().empty())
        throw Interruption();
    });
    EXPECT_THROW(train(config_, folder_ / "run"), Interruption);
    set_log_sink([this](LogLevel, std::string_view line) { lines_ += std::string(line) + "\n"; });
  }
  ~ContinuedRun() override { set_log_sink({}); }

  std::string refusal(const RunConfig& config) {
    return error_of<UserError>([&] { train(config, folder_ / "run"); });
  }
  std::string pieces_of(const fs::path& model) {
    const Tokenizer tokenizer(load_model(model).tokenizer);
    std::string pieces;
    for (int64_t id = 0; id < tokenizer.size(); ++id) pieces += tokenizer.piece(id) + " ";
    return pieces;
  }
  // Two utterances are added, which makes other letters the most frequent, and one loses words.
  void change_manifest() {
    const fs::path manifest = config_.data.train[0];
    std::vector<Utterance> utterances = read_manifest(manifest);
    for (const char* id : {"new", "newer"}) {
      utterances.push_back(utterances[1]);
      utterances.back().id = id;
    }
    utterances[0].text = utterances[0].text.substr(0, utterances[0].text.find(' '));
    write_manifest(manifest, utterances);
  }

  TemporaryFolder folder_;
  RunConfig config_;
  std::string lines_;
};

TEST_F(ContinuedRun, AManifestThatGrewIsRefusedWithCounts) {
  const fs::path checkpoint = RunFiles(folder_ / "run").checkpoint_names().back();
  const std::string before = pieces_of(folder_ / "run" / checkpoint / "model.safetensors");
  change_manifest();
  EXPECT_THAT(refusal(config_), HasSubstr("the training data has changed since the run's "
                                          "checkpoint: 2 utterances added, 0 removed, 1 changed"));
  // With permission it goes on, with the pieces that the weights belong to.
  config_.train.allow_changed_data = true;
  train(config_, folder_ / "run");
  EXPECT_THAT(lines_, HasSubstr("2 utterances added, 0 removed, 1 changed"));
  EXPECT_EQ(pieces_of(folder_ / "run/model.safetensors"), before);
}

TEST_F(ContinuedRun, AReplacedTokenizerIsRefused) {
  config_.data.tokenizer = folder_ / "other.model";
  write_file(config_.data.tokenizer,
             Tokenizer::train({"other"}, {.kind = PieceKind::character}).serialised());
  EXPECT_THAT(refusal(config_), AllOf(HasSubstr("data.tokenizer has other pieces than the run: "),
                                      HasSubstr("in the run's checkpoint and '")));
}

TEST_F(ContinuedRun, OtherOptionsAreNamedWithBothValues) {
  config_.train.peak_lr = 1e-4;
  config_.loader.batch_seconds = 5;
  EXPECT_THAT(
      refusal(config_),
      HasSubstr("loader.batch_seconds is 5.0, was 10.0; train.peak_lr is 0.0001, was 0.004"));
}

TEST_F(ContinuedRun, HowTheWorkIsDoneMayChange) {
  config_.train.epochs = 3;
  config_.train.threads = 2;
  config_.loader.threads = 2;
  config_.data.cache = folder_ / "another-cache";
  config_.data.evaluation.clear();
  train(config_, folder_ / "run");
  EXPECT_THAT(lines_, AllOf(HasSubstr("continues after update"),
                            HasSubstr("train.threads is 2, was 1: the run's weights may differ")));
  EXPECT_EQ(load_model(folder_ / "run/model.safetensors").provenance.trained->epochs, 3);
  EXPECT_EQ(read_run_config(folder_ / "run/config.toml").train.epochs, 3);
}

TEST_F(ContinuedRun, AMovedFolderIsTheSameRun) {
  const fs::path moved = folder_ / "moved/small.jsonl";
  fs::create_directories(moved.parent_path());
  write_manifest(moved, read_manifest(config_.data.train[0]));
  fs::remove(config_.data.train[0]);
  config_.data.train = {moved};
  config_.data.evaluation = {{"train", moved}};
  train(config_, folder_ / "run");
  EXPECT_THAT(lines_, AllOf(HasSubstr("continues after update"), Not(HasSubstr("changed"))));
  EXPECT_EQ(read_run_config(folder_ / "run/config.toml").data.train[0], moved);
  train(config_, folder_ / "run");
  EXPECT_THAT(lines_, HasSubstr("is finished already"));
}

TEST_F(ContinuedRun, AFinishedRunOfOtherDataIsNotTakenForThisOne) {
  train(config_, folder_ / "run");
  change_manifest();
  EXPECT_THAT(refusal(config_), HasSubstr("2 utterances added"));
  config_.train.allow_changed_data = true;
  config_.train.epochs = 4;
  EXPECT_THAT(refusal(config_), HasSubstr("finished run with other options: train.epochs is 4"));
}

TEST_F(ContinuedRun, AnEvaluationSetThatChangedIsNoticed) {
  const fs::path other = folder_ / "other.jsonl";
  std::vector<Utterance> utterances = read_manifest(config_.data.train[0]);
  utterances.resize(3);
  write_manifest(other, utterances);
  config_.data.evaluation = {{"train", other}};
  train(config_, folder_ / "run");
  EXPECT_THAT(lines_, HasSubstr("the evaluation set 'train' has changed since the checkpoint"));
}

}  // namespace
}  // namespace scion
