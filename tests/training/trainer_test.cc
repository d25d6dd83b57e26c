#include "scion/training/trainer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "scion/core/error.h"
#include "scion/core/random.h"
#include "scion/core/safetensors.h"
#include "scion/model/model_file.h"
#include "scion/training/checkpoint.h"
#include "scion/training/optimisers/optimiser.h"
#include "scion/training/schedule.h"
#include "tests/core/event_reader.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using scion::testing::tiny_run;

size_t count_lines(const fs::path& path) {
  const std::string text = read_file(path);
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::vector<nlohmann::json> read_lines(const fs::path& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// TensorBoard's points, but for the speed.
std::vector<std::string> points(const fs::path& run) {
  std::vector<std::string> all = read_points(run);
  std::erase_if(all, [](const std::string& point) { return point.find("speed") != point.npos; });
  return all;
}

// Starts `scion train` and kills it some `microseconds` after its log of updates has grown beyond
// `bytes`; returns whether it had finished.
bool train_until(const fs::path& config, const fs::path& out, uintmax_t bytes,
                 int64_t microseconds) {
  const pid_t child = fork();
  if (child == 0) {
    freopen("/dev/null", "w", stderr);
    freopen("/dev/null", "w", stdout);
    execl(SCION_PROGRAM, SCION_PROGRAM, "train", "--config", config.c_str(), "--out", out.c_str(),
          nullptr);
    _exit(127);
  }
  std::error_code missing;
  while (true) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const uintmax_t size = fs::file_size(out / "updates.jsonl", missing);
    if (!missing && size > bytes) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return false;
}

TEST(Trainer, KilledAtRandomInstantsEndsWithTheSameBytes) {
  constexpr uintmax_t never = std::numeric_limits<uintmax_t>::max();
  const TemporaryFolder folder;
  // From a trained model, beside a wider teacher that falls silent in the middle of an epoch.
  RunConfig config = tiny_run(folder.path());
  config.train.epochs = 1;
  train(config, folder / "first");
  config.model.conformer.width = 24;
  train(config, folder / "teacher");
  config = tiny_run(folder.path());
  config.train.init = folder / "first/model.safetensors";
  config.train.copied_lr_scale = 0.5;
  config.train.anchor_decay = 2;
  config.train.anchor_until = "1e";
  config.train.distill = folder / "teacher/model.safetensors";
  config.train.distill_until = "1.5e";
  config.train.distill_fade = true;
  config.train.measure_every = 2;
  write_file(folder / "run.toml", config.to_toml());
  ASSERT_TRUE(train_until(folder / "run.toml", folder / "whole", never, 0));
  const auto updates = read_lines(folder / "whole/updates.jsonl");
  EXPECT_GT(updates.front().at("node_divergence").get<double>(), 0);
  EXPECT_GT(updates.front().at("ctc_divergence").get<double>(), 0);
  EXPECT_EQ(updates.back().at("node_divergence"), 0);
  EXPECT_NE(load_model(folder / "whole/model.safetensors")
                .provenance.at("trained")
                .at("teacher_checksum"),
            "");
  const uintmax_t bytes = fs::file_size(folder / "whole/updates.jsonl");
  Random random(7, RandomStream::order);
  int kills = 0;
  // Farther and farther into the run, at once or some milliseconds later: between updates, in the
  // middle of one, while a checkpoint is written.
  for (int part = 0; part < 8; ++part) {
    const double share = (part + random.uniform(0, 1)) / 9;
    const auto after = static_cast<uintmax_t>(share * static_cast<double>(bytes));
    kills += !train_until(folder / "run.toml", folder / "broken", after, random.below(20000));
  }
  EXPECT_GE(kills, 4);
  ASSERT_TRUE(train_until(folder / "run.toml", folder / "broken", never, 0));
  EXPECT_EQ(read_file(folder / "whole/model.safetensors"),
            read_file(folder / "broken/model.safetensors"));
  EXPECT_EQ(count_lines(folder / "whole/updates.jsonl"),
            count_lines(folder / "broken/updates.jsonl"));
  auto whole = read_lines(folder / "whole/results.jsonl"),
       broken = read_lines(folder / "broken/results.jsonl");
  ASSERT_EQ(whole.size(), broken.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    whole[i].erase("training_seconds");
    broken[i].erase("training_seconds");
    EXPECT_EQ(whole[i], broken[i]);
  }
  EXPECT_EQ(points(folder / "whole"), points(folder / "broken"));
  for (const char* name : {"measures.jsonl", "loss_line.json"})
    EXPECT_EQ(read_file(folder / "whole" / name), read_file(folder / "broken" / name)) << name;
}

TEST(Trainer, LearnsAndLeavesACompleteModel) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path());
  config.train.epochs = 12;
  config.train.peak_lr = 1e-2;
  config.train.warmup = "3u";
  train(config, folder / "run");
  const auto updates = read_lines(folder / "run/updates.jsonl");
  EXPECT_LT(updates.back().at("loss").get<double>(),
            0.75 * updates.front().at("loss").get<double>());
  const ModelFile file = load_model(folder / "run/model.safetensors");
  EXPECT_EQ(file.provenance.at("trained").at("epochs"), 12);
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
  EXPECT_EQ(points(folder / "plain").size(), points(folder / "measured").size());
  EXPECT_FALSE(fs::exists(folder / "plain/measures.jsonl"));
  const auto updates = read_lines(folder / "measured/updates.jsonl");
  const auto measures = read_lines(folder / "measured/measures.jsonl");
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
  const auto results = read_lines(folder / "measured/results.jsonl");
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
  for (const char* loss : {"exact", "pruned"}) {
    config.train.loss = loss;
    config.model.simple_joiner = config.train.loss == "pruned";
    train(config, folder / loss);
    const auto skipped = read_lines(folder / loss / "skipped.jsonl");
    ASSERT_EQ(skipped.size(), 1U) << loss;
    EXPECT_EQ(skipped[0].at("id"), "cut");
    EXPECT_NE(skipped[0].at("reason").get<std::string>().find("in 0 encoder frames"),
              std::string::npos);
    for (const auto& update : read_lines(folder / loss / "updates.jsonl"))
      EXPECT_TRUE(update.at("loss").is_number()) << update;
  }
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

TEST(Checkpoint, ABrokenOneIsPassedOver) {
  const TemporaryFolder folder;
  Checkpoint checkpoint;
  checkpoint.model.tensors = {{"a", at::ones({3})}};
  checkpoint.state.tensors = {{"b", at::zeros({2})}};
  for (const int64_t update : {1, 2, 3}) {
    checkpoint.position.update = update;
    save_checkpoint(folder.path(), checkpoint, 2);
  }
  EXPECT_FALSE(fs::exists(folder / "update-00000001"));
  EXPECT_EQ(load_newest_checkpoint(folder.path())->position.update, 3);
  std::string bytes = read_file(folder / "update-00000003/model.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(folder / "update-00000003/model.safetensors", bytes);
  EXPECT_EQ(load_newest_checkpoint(folder.path())->position.update, 2);
  fs::remove(folder / "update-00000002/state.safetensors");
  EXPECT_FALSE(load_newest_checkpoint(folder.path()).has_value());
}

TEST(Schedule, ReachesItsMarks) {
  TrainConfig config;
  config.peak_lr = 1;
  config.warmup = "10u";
  config.final_lr_share = 0.02;
  EXPECT_NEAR(learning_rate(config, 5, 110, 50), 0.5, 1e-12);
  EXPECT_NEAR(learning_rate(config, 10, 110, 50), 1, 1e-12);
  EXPECT_NEAR(learning_rate(config, 60, 110, 50), 0.51, 1e-12);
  EXPECT_NEAR(learning_rate(config, 110, 110, 50), 0.02, 1e-12);
  config.warmup = "0.2e";
  EXPECT_NEAR(learning_rate(config, 5, 110, 50), 0.5, 1e-12);
  config.schedule = "noam";
  EXPECT_NEAR(learning_rate(config, 40, 110, 50), 0.5, 1e-12);
  config.schedule = "constant";
  EXPECT_NEAR(learning_rate(config, 90, 110, 50), 1, 1e-12);
}

TEST(Schedule, CopiedParametersHaveRatesOfTheirOwn) {
  TrainConfig config;
  config.peak_lr = 1;
  config.schedule = "constant";
  config.warmup = "10u";
  config.copied_warmup = "40u";
  config.copied_lr_scale = 0.5;
  config.anchor_decay = 0.2;
  config.anchor_until = "2e";
  const UpdateRates early = update_rates(config, 20, 200, 50);
  EXPECT_NEAR(early.lr, 1, 1e-12);
  EXPECT_NEAR(early.copied_lr, 0.25, 1e-12);
  EXPECT_NEAR(early.anchor, 0.05, 1e-12);
  EXPECT_NEAR(update_rates(config, 100, 200, 50).anchor, 0.1, 1e-12);
  EXPECT_EQ(update_rates(config, 101, 200, 50).anchor, 0);
  config.anchor_until = "";
  config.anchor_decay = 100;
  EXPECT_EQ(update_rates(config, 200, 200, 50).anchor, 1);
}

TEST(Schedule, DistillationEndsOrFades) {
  TrainConfig config;
  EXPECT_EQ(distillation_share(config, 0, 200, 50), 0);  // no teacher
  config.distill = "teacher.safetensors";
  EXPECT_EQ(distillation_share(config, 199, 200, 50), 1);
  config.distill_until = "2e";
  EXPECT_EQ(distillation_share(config, 99, 200, 50), 1);
  EXPECT_EQ(distillation_share(config, 100, 200, 50), 0);
  config.distill_fade = true;
  EXPECT_NEAR(distillation_share(config, 25, 200, 50), 0.75, 1e-12);
  EXPECT_EQ(distillation_share(config, 150, 200, 50), 0);
}

TEST(Span, NeedsAUnit) {
  EXPECT_EQ(parse_span("2e", 50, "x"), 100);
  EXPECT_EQ(parse_span("0.5e", 50, "x"), 25);
  EXPECT_EQ(parse_span("7u", 50, "x"), 7);
  EXPECT_THROW(parse_span("7", 50, "train.warmup"), UserError);
  EXPECT_THROW(parse_span("e", 50, "train.warmup"), UserError);
}

// AdamW by its formula, in double precision.
TEST(AdamW, EqualsTheFormula) {
  Transducer model(testing::small_config(), 7);
  testing::randomise(model, 1);
  TrainConfig config;
  config.clip_norm = 0;
  AdamW optimiser(model.registry(), config);
  const Parameter& parameter = *model.registry().find("joiner.output.weight");
  at::Tensor value = parameter.tensor.detach().to(at::kDouble).clone();
  at::Tensor m = at::zeros_like(value), v = at::zeros_like(value);
  for (int step = 1; step <= 4; ++step) {
    const at::Tensor gradient = at::randn_like(parameter.tensor).detach();
    parameter.tensor.mutable_grad() = gradient.clone();
    optimiser.step({.lr = 1e-2}, 0.5);
    const at::Tensor g = gradient.to(at::kDouble) * 0.5;
    value *= 1 - 1e-2 * config.weight_decay;
    m = config.beta1 * m + (1 - config.beta1) * g;
    v = config.beta2 * v + (1 - config.beta2) * g * g;
    value -= 1e-2 * (m / (1 - std::pow(config.beta1, step))) /
             ((v / (1 - std::pow(config.beta2, step))).sqrt() + 1e-8);
    EXPECT_LT((parameter.tensor - value).abs().max().item<double>(), 2e-6);
  }
}

// What was copied has a rate of its own and goes back towards its first values instead of zero.
TEST(AdamW, TreatsCopiedParametersAsTold) {
  Transducer model(testing::small_config(), 7);
  testing::randomise(model, 1);
  TrainConfig config;
  config.clip_norm = 0;
  config.anchor_decay = 3;
  const Parameter& copied = *model.registry().find("joiner.output.weight");
  const Parameter& other = *model.registry().find("joiner.encoder_projection.weight");
  const at::Tensor first = copied.tensor.detach().clone(), drawn = other.tensor.detach().clone();
  AdamW optimiser(model.registry(), config, {copied.name});
  const auto step_along = [&](double gradient, const UpdateRates& rates) {
    for (const Parameter* parameter : {&copied, &other})
      parameter->tensor.mutable_grad() = at::full_like(parameter->tensor, gradient).detach();
    optimiser.step(rates, 1);
  };
  // Equal gradients: AdamW's step is the rate itself.
  step_along(1, {.lr = 0.1, .copied_lr = 0.02, .anchor = 0.25});
  EXPECT_LT((copied.tensor - (first - 0.02)).abs().max().item<double>(), 1e-5);
  EXPECT_LT(
      (other.tensor - (drawn * (1 - 0.1 * config.weight_decay) - 0.1)).abs().max().item<double>(),
      1e-5);
  step_along(1, {.lr = 0.1, .copied_lr = 0.02, .anchor = 0.25});
  EXPECT_LT((copied.tensor - (first - 0.75 * 0.02 - 0.02)).abs().max().item<double>(), 1e-5);
  // Without an anchor it decays like all others.
  const at::Tensor before = copied.tensor.detach().clone();
  step_along(1, {.lr = 0.1, .copied_lr = 0.02});
  EXPECT_LT((copied.tensor - (before * (1 - 0.02 * config.weight_decay) - 0.02))
                .abs()
                .max()
                .item<double>(),
            1e-5);
}

TEST(AdamW, ClipsToTheNormAndReportsIt) {
  Transducer model(testing::small_config(), 7);
  TrainConfig config;
  config.clip_norm = 1;
  AdamW optimiser(model.registry(), config);
  for (const at::Tensor& tensor : model.registry().trainable())
    tensor.mutable_grad() = at::ones_like(tensor).detach();
  const double norm = std::sqrt(static_cast<double>(model.registry().parameter_count()));
  EXPECT_NEAR(optimiser.step({}, 1), norm, 1e-3 * norm);
  EXPECT_EQ(model.joiner().weight().grad().abs().max().item<float>(), 0);
  SafeTensors state;
  optimiser.save(state);
  EXPECT_NEAR(state.at("first_moment.joiner.output.weight").max().item<double>(), 0.1 / norm, 1e-6);
}

TEST(Trainer, ARunThatNeverBeganDoesNotHoldItsFolder) {
  const TemporaryFolder folder;
  RunConfig config = tiny_run(folder.path(), 6);
  config.train.epochs = 1;
  config.data.evaluation = {"dev=/none/dev.jsonl"};
  EXPECT_THROW(train(config, folder / "run"), UserError);
  config.data.evaluation.clear();
  EXPECT_NO_THROW(train(config, folder / "run"));
}

}  // namespace
}  // namespace scion
