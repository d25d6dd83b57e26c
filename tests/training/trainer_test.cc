#include "scion/training/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/json_lines.h"
#include "scion/model/model_file.h"
#include "scion/training/run/run_folder.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/run_points.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using scion::testing::tiny_run;
using ::testing::HasSubstr;

TEST(Trainer, LearnsAndLeavesACompleteModel) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path());
  config.train.epochs = 12;
  config.train.peak_lr = 1e-2;
  config.train.warmup = Span::updates(3);
  train(config, folder / "run");
  const auto updates = read_json_lines(folder / "run/updates.jsonl");
  EXPECT_LT(updates.back().at("loss").get<double>(),
            0.75 * updates.front().at("loss").get<double>());
  const ModelFile file = load_model(folder / "run/model.safetensors");
  EXPECT_EQ(file.provenance.trained->epochs, 12);
  EXPECT_EQ(file.model->vocabulary(), Tokenizer(file.tokenizer).size());
  EXPECT_FALSE(fs::exists(folder / "run/checkpoints"));
  // A finished run returns at once; another configuration is refused.
  train(config, folder / "run");
  config.train.peak_lr = 2e-2;
  EXPECT_THROW(train(config, folder / "run"), UserError);
}

TEST(Trainer, MeasuresWithoutChangingWhatIsTrained) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path());
  train(config, folder / "plain");
  config.train.measure_every = 1;
  train(config, folder / "measured");
  EXPECT_EQ(read_file(folder / "plain/model.safetensors"),
            read_file(folder / "measured/model.safetensors"));
  EXPECT_EQ(testing::points_but_speed(folder / "plain").size(),
            testing::points_but_speed(folder / "measured").size());
  EXPECT_FALSE(fs::exists(folder / "plain/measures.jsonl"));
  const auto updates = read_json_lines(folder / "measured/updates.jsonl");
  const auto measures = read_json_lines(folder / "measured/measures.jsonl");
  ASSERT_EQ(measures.size(), updates.size());
  for (size_t i = 0; i < updates.size(); ++i) {
    const double norm = updates[i].at("gradient_norm");
    EXPECT_NEAR(measures[i].at("all").at("norm").get<double>(), norm, 1e-4 * norm);
    EXPECT_EQ(measures[i].at("epoch"), updates[i].at("epoch"));
  }
  const nlohmann::json& last = measures.back();
  for (const char* part : {"subsampling", "layers.0", "layers.1", "predictor", "joiner", "heads"})
    EXPECT_GE(last.at(part).at("path").get<double>(),
              last.at(part).at("displacement").get<double>() * (1 - 1e-6))
        << part;
  // The line ends where training does: lower than it began, at the loss of the final weights.
  const nlohmann::json line = nlohmann::json::parse(read_file(folder / "measured/loss_line.json"));
  ASSERT_EQ(line.size(), 11U);
  EXPECT_EQ(line[0][0], 0);
  EXPECT_EQ(line[10][0], 1);
  EXPECT_LT(line[10][1].get<double>(), line[0][1].get<double>());
  // Weights of the last update, then of the last two epochs' average.
  const auto results = read_json_lines(folder / "measured/results.jsonl");
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[2].at("weights"), "raw");
  EXPECT_EQ(results[3].at("weights"), "averaged");
  EXPECT_EQ(results[3].at("epoch"), results[2].at("epoch"));
}

// Subsampling leaves no frame of it: no loss has it, nothing fails, the log names it.
TEST(Trainer, AnUtteranceWithoutAlignmentIsLeftOutAndNamed) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path());
  std::vector<Utterance> utterances = read_manifest(config.data.train[0]);
  Utterance cut = utterances[3];
  cut.id = "cut";
  cut.seconds = 0.05;
  cut.part = {.begin_seconds = 0.2, .seconds = 0.05};
  utterances.push_back(cut);
  config.data.train = {folder / "with-cut.jsonl"};
  write_manifest(config.data.train[0], utterances);
  config.loader.shortest_seconds = 0;
  config.train.epochs = 2;
  for (const std::string& loss : words_of<LossKind>()) {
    config.train.loss.kind = *enum_of<LossKind>(loss);
    config.model.simple_joiner = config.train.loss.kind == LossKind::pruned;
    train(config, folder / loss);
    const auto skipped = read_json_lines(folder / loss / "skipped.jsonl");
    ASSERT_EQ(skipped.size(), 1U) << loss;
    EXPECT_EQ(skipped[0].at("id"), "cut");
    EXPECT_NE(skipped[0].at("reason").get<std::string>().find("in 0 encoder frames"),
              std::string::npos);
    for (const auto& update : read_json_lines(folder / loss / "updates.jsonl"))
      EXPECT_TRUE(update.at("loss").is_number()) << update;
  }
}

TEST(Trainer, ARefusalLeavesTheListOfAllThatCannotBeUsed) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path(), 6);
  std::vector<Utterance> utterances = read_manifest(config.data.train[0]);
  utterances[1].audio = "/none/b.wav";
  utterances[4].text = "";
  write_manifest(config.data.train[0], utterances);
  Utterance more = utterances[0];
  more.id = "more";
  more.audio = "/none/more.wav";
  write_manifest(folder / "more.jsonl", {more});
  config.data.train.push_back(folder / "more.jsonl");
  const std::string list = folder / "run/skipped.jsonl";
  try {
    train(config, folder / "run");
    FAIL() << "trained on";
  } catch (const UserError& refusal) {
    EXPECT_THAT(refusal.what(), HasSubstr("2 of 6 utterances"));
    EXPECT_THAT(refusal.hint(), HasSubstr(list + " lists all that are skipped"));
  }
  const auto skipped = read_json_lines(list);
  ASSERT_EQ(skipped.size(), 3U);
  EXPECT_EQ(skipped[0].at("id"), utterances[1].id);
  EXPECT_EQ(skipped[2].at("id"), "more");
  EXPECT_EQ(skipped[1].at("id"), utterances[4].id);
  EXPECT_THAT(skipped[1].at("reason").get<std::string>(), HasSubstr("no text"));
}

TEST(Trainer, DivergenceNamesUtterancesAndLayer) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path());
  train(config, folder / "first");
  ModelFile start = load_model(folder / "first/model.safetensors");
  const at::NoGradGuard no_grad;
  start.model->registry().find("encoder.layers.1.attention.in.weight")->tensor.fill_(NAN);
  save_model(folder / "start.safetensors", *start.model, start.tokenizer, start.provenance);
  config.train.init = folder / "start.safetensors";
  try {
    const at::AutoGradMode gradients(true);
    train(config, folder / "run");
    FAIL() << "trained on";
  } catch (const Failure& failure) {
    const std::string message = failure.what();
    EXPECT_NE(message.find("first layer: encoder.layers.1.attention"), std::string::npos)
        << message;
    ASSERT_NE(message.find("utterances: "), std::string::npos) << message;
    std::istringstream named(message.substr(message.find("utterances: ") + 12));
    std::set<std::string> ids;
    for (const Utterance& utterance : read_manifest(config.data.train[0])) ids.insert(utterance.id);
    size_t count = 0;
    for (std::string id; named >> id; ++count) EXPECT_TRUE(ids.contains(id)) << message;
    EXPECT_GT(count, 0U) << message;
    EXPECT_NE(failure.hint().find("peak_lr"), std::string::npos);
  }
}

TEST(Trainer, ARunThatNeverBeganDoesNotHoldItsFolder) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path(), 6);
  config.train.epochs = 1;
  config.data.evaluation = {{"dev", "/none/dev.jsonl"}};
  EXPECT_THROW(train(config, folder / "run"), UserError);
  config.data.evaluation.clear();
  EXPECT_NO_THROW(train(config, folder / "run"));
}

}  // namespace
}  // namespace scion
