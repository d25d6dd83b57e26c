// scion evaluate: a model's error rates on a manifest.
#include <fmt/format.h>

#include "scion/cli/commands.h"
#include "scion/core/device.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"
#include "scion/model/precision.h"
#include "scion/recognition/evaluation.h"
#include "scion/recognition/hypotheses_file.h"
#include "scion/recognition/model_dataset.h"
#include "scion/scoring/bootstrap.h"
#include "scion/scoring/sclite.h"

namespace scion {
namespace {

struct EvaluateArguments {
  std::string model, manifest, hypotheses, precision = "fp32", device = "cpu";
  int threads = 0;
  bool json = false, speakers = false;
  size_t confusions = 0;
};

// The tables that were asked for.
nlohmann::json tables_json(const EvaluateArguments& arguments, const EvaluationResult& result) {
  nlohmann::json json = nlohmann::json::object();
  if (!arguments.speakers && arguments.confusions == 0) return json;
  const SetScore score = score_result(result);
  if (arguments.speakers) json["speakers"] = to_json(scores_by_speaker(score));
  if (arguments.confusions > 0)
    json["confusions"] = to_json(count_confusions(score.utterances), arguments.confusions);
  return json;
}

void print_tables(const EvaluateArguments& arguments, const EvaluationResult& result) {
  if (!arguments.speakers && arguments.confusions == 0) return;
  const SetScore score = score_result(result);
  if (arguments.speakers) fmt::print("\n{}", speaker_table(scores_by_speaker(score)));
  if (arguments.confusions > 0)
    fmt::print("\n{}", to_text(count_confusions(score.utterances), arguments.confusions));
}

Interval speaker_interval(const EvaluationResult& result) {
  std::map<std::string, ErrorCounts> speakers;
  for (const UtteranceResult& utterance : result.utterances)
    speakers[utterance.speaker.empty() ? utterance.id : utterance.speaker] += utterance.words;
  std::vector<ErrorCounts> units;
  for (const auto& [speaker, counts] : speakers) units.push_back(counts);
  return bootstrap_rate(units);
}

void run(const EvaluateArguments& arguments) {
  if (arguments.threads > 0) set_thread_count(arguments.threads);
  ModelFile file = load_model(arguments.model);
  file.model->to(find_device(arguments.device));
  const Dataset data = dataset_for(file, {arguments.manifest});
  EvaluationConfig config;
  config.bf16 =
      use_bf16(arguments.precision, arguments.device, file.model->registry().parameter_count());
  log_info("evaluates {} on {} utterances of {}", arguments.model, data.size(), arguments.manifest);
  const EvaluationResult result = evaluate(*file.model, data.tokenizer(), data, config);
  const Interval interval = speaker_interval(result);
  if (!arguments.hypotheses.empty())
    write_hypotheses(arguments.hypotheses, result, file.model->config(), data.tokenizer());
  if (arguments.json) {
    nlohmann::json json = result.to_json();
    json["wer_interval_95"] = {100 * interval.low, 100 * interval.high};
    json["real_time_factor"] = result.seconds / result.audio_seconds;
    json["skipped"] = data.skipped().size();
    json.update(tables_json(arguments, result));
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print(
      "WER {:.2f} % [{:.2f}, {:.2f}] by speaker: {} errors in {} words ({} substitutions, {} "
      "insertions, {} deletions)\n",
      100 * result.words.rate(), 100 * interval.low, 100 * interval.high, result.words.errors(),
      result.words.reference_length(), result.words.substitutions, result.words.insertions,
      result.words.deletions);
  fmt::print("CER {:.2f} %\nreal-time factor {:.4f} ({:.0f} s of speech in {:.1f} s)\n",
             100 * result.characters.rate(), result.seconds / result.audio_seconds,
             result.audio_seconds, result.seconds);
  if (!data.skipped().empty()) fmt::print("{} utterances skipped\n", data.skipped().size());
  print_tables(arguments, result);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "error rates of a model on a manifest");
  command->add_option("--model", arguments->model, "model file")->required();
  command->add_option("--manifest", arguments->manifest, "JSON lines with audio_filepath and text")
      ->required();
  command->add_option(
      "--hypotheses", arguments->hypotheses,
      "write what was recognised, as JSON lines or, by the extension, .trn or .ctm");
  command->add_option("--precision", arguments->precision, "fp32, bf16, auto")
      ->capture_default_str()
      ->check(CLI::IsMember({"fp32", "bf16", "auto"}));
  command->add_option("--device", arguments->device, "cpu, cuda")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "cuda"}));
  command->add_option("--threads", arguments->threads, "0: all processors");
  command->add_flag("--speakers", arguments->speakers, "a table by speaker");
  command->add_option("--confusions", arguments->confusions,
                      "so many of the words most often confused, inserted and deleted");
  command->add_flag("--json", arguments->json, "print one JSON object");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
