// scion evaluate: a model's error rates on a manifest.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "scion/cli/commands.h"
#include "scion/cli/common_flags.h"
#include "scion/core/device.h"
#include "scion/core/log.h"
#include "scion/model/precision.h"
#include "scion/recognition/evaluation.h"
#include "scion/recognition/hypotheses_file.h"
#include "scion/recognition/model_dataset.h"
#include "scion/recognition/recognition.h"
#include "scion/scoring/sclite.h"

namespace scion {
namespace {

struct EvaluateArguments {
  std::string model, manifest, hypotheses, device = "cpu";
  Precision precision = Precision::fp32;
  SearchConfig search;
  bool json = false, speakers = false, suppress_unknown = false;
  size_t confusions = 0;
};

// The tables that were asked for.
nlohmann::json tables_json(const EvaluateArguments& arguments, const SetScore& score) {
  nlohmann::json json = nlohmann::json::object();
  if (arguments.speakers) json["speakers"] = to_json(scores_by_speaker(score));
  if (arguments.confusions > 0)
    json["confusions"] = to_json(count_confusions(score.utterances), arguments.confusions);
  return json;
}

void print_tables(const EvaluateArguments& arguments, const SetScore& score) {
  if (arguments.speakers) fmt::print("\n{}", speaker_table(scores_by_speaker(score)));
  if (arguments.confusions > 0)
    fmt::print("\n{}", to_text(count_confusions(score.utterances), arguments.confusions));
}

void print(const SetScore& score, const Interval& interval) {
  const ErrorCounts& words = score.words;
  fmt::print(
      "WER {:.2f} % [{:.2f}, {:.2f}] by speaker: {} errors in {} words ({} substitutions, {} "
      "insertions, {} deletions)\nCER {:.2f} %\n",
      100 * words.rate(), 100 * interval.low, 100 * interval.high, words.errors(),
      words.reference_length(), words.substitutions, words.insertions, words.deletions,
      100 * score.characters.rate());
}

void run(const EvaluateArguments& arguments) {
  ModelFile file = load_model(arguments.model);
  file.model->to(find_device(arguments.device));
  const Dataset data = dataset_for(file, {arguments.manifest}, DataPurpose::evaluation);
  EvaluationConfig config{arguments.search};
  if (arguments.suppress_unknown) suppress_unknown(config.search, data.tokenizer());
  config.bf16 =
      use_bf16(arguments.precision, arguments.device, file.model->registry().parameter_count());
  log_info("evaluates {} on {} utterances of {}", arguments.model, data.size(), arguments.manifest);
  const EvaluationResult result = evaluate(*file.model, data.tokenizer(), data, config);
  const Interval interval = speaker_interval(result.score.utterances);
  if (!arguments.hypotheses.empty())
    write_hypotheses(arguments.hypotheses, result, file.model->config(), data.tokenizer());
  if (arguments.json) {
    nlohmann::json json = result.to_json();
    json["wer_interval_95"] = {100 * interval.low, 100 * interval.high};
    json["real_time_factor"] = result.seconds / result.audio_seconds;
    json["unwritable_characters"] = data.spelling().characters();
    json["unwritable_references"] = data.spelling().uncovered();
    json.update(tables_json(arguments, result.score));
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  print(result.score, interval);
  fmt::print("real-time factor {:.4f} ({:.0f} s of speech in {:.1f} s)\n",
             result.seconds / result.audio_seconds, result.audio_seconds, result.seconds);
  const Spelling& spelling = data.spelling();
  if (spelling.uncovered() > 0)
    fmt::print("characters that the model cannot write, in {} of the references: {}\n",
               spelling.uncovered(), fmt::join(spelling.characters(), " "));
  print_tables(arguments, result.score);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand("evaluate", "error rates of a model on a manifest");
  command->add_option("model,--model", arguments->model, "model file")->required();
  command
      ->add_option("manifest,--manifest", arguments->manifest,
                   "JSON lines with audio_filepath and text")
      ->required();
  command->add_option("--hypotheses", arguments->hypotheses,
                      "file to write hypotheses to: JSON lines or, by the extension, .trn or .ctm");
  add_word_flag(*command, "--precision", arguments->precision, "number format of matrix products");
  add_device_flag(*command, arguments->device);
  add_search_flags(*command, arguments->search, arguments->suppress_unknown);
  add_threads_flag(*command);
  command->add_flag("--speakers", arguments->speakers, "a table by speaker");
  command->add_option("--confusions", arguments->confusions,
                      "number of words to list that are most often confused, inserted, deleted");
  command->add_flag("--json", arguments->json, "print one JSON object");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
