// scion align: times of the words of transcripts.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "scion/cli/commands.h"
#include "scion/cli/common_flags.h"
#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/log.h"
#include "scion/core/progress.h"
#include "scion/recognition/aligner.h"
#include "scion/recognition/model_dataset.h"
#include "scion/scoring/nist.h"

namespace scion {
namespace {

struct AlignArguments {
  std::string model, manifest, ctm, json;
  double batch_seconds = 60;
};

std::string json_line(const UtteranceAlignment& alignment) {
  nlohmann::ordered_json line = {{"id", alignment.id},
                                 {"log_probability", alignment.log_probability},
                                 {"words", nlohmann::ordered_json::array()},
                                 {"tokens", nlohmann::ordered_json::array()}};
  for (const TimedWord& word : alignment.words)
    line["words"].push_back(
        {{"word", word.word}, {"start", word.start}, {"duration", word.duration}});
  for (const AlignedToken& token : alignment.tokens)
    line["tokens"].push_back(
        {{"piece", token.piece}, {"seconds", token.seconds}, {"probability", token.probability}});
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Every utterance of the manifest that has no times, with the reason.
std::vector<Skipped> without_alignment(const Dataset& data,
                                       const std::vector<UtteranceAlignment>& alignments) {
  std::vector<Skipped> list = data.skipped();
  for (const UtteranceAlignment& alignment : alignments)
    if (!alignment.fault.empty()) list.push_back({alignment.id, alignment.fault});
  return list;
}

void warn_of(const std::vector<Skipped>& without) {
  constexpr size_t most_named = 10;
  for (size_t i = 0; i < std::min(most_named, without.size()); ++i)
    log_warning("{} is not aligned: {}", without[i].id, without[i].reason);
  if (without.size() > most_named)
    log_warning("and {} more; --json names all {}", without.size() - most_named, without.size());
}

std::string json_line(const Skipped& without) {
  const nlohmann::ordered_json line = {{"id", without.id},
                                       {"words", nlohmann::ordered_json::array()},
                                       {"tokens", nlohmann::ordered_json::array()},
                                       {"reason", without.reason}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void run(const AlignArguments& arguments) {
  const ModelFile file = load_model(arguments.model);
  constexpr double all_may_be_unusable = 1;  // each is named with its reason
  const Dataset data =
      dataset_for(file, {arguments.manifest}, DataPurpose::training, all_may_be_unusable);
  log_info("aligns {} utterances of {} by {}", data.size(), arguments.manifest, arguments.model);
  Progress progress("aligning", int64_t(data.size()), "utterances");
  const auto alignments = align_utterances(*file.model, data, arguments.batch_seconds,
                                           [&](int64_t done) { progress.update(done); });
  progress.finish();
  std::string lines;
  size_t aligned = 0;
  std::vector<TimedTranscript> transcripts;
  for (const UtteranceAlignment& alignment : alignments) {
    transcripts.push_back({alignment.id, alignment.words});
    if (!alignment.fault.empty()) continue;
    lines += json_line(alignment);
    ++aligned;
  }
  const std::vector<Skipped> without = without_alignment(data, alignments);
  warn_of(without);
  for (const Skipped& one : without) lines += json_line(one);
  if (!arguments.json.empty()) write_file(arguments.json, lines);
  if (arguments.ctm.empty())
    fmt::print("{}", to_ctm(transcripts));
  else
    write_file(arguments.ctm, to_ctm(transcripts));
  for (const std::string& path : {arguments.ctm, arguments.json})
    if (!path.empty()) fmt::print("{}\n", path);
  if (!without.empty())
    throw Failure(fmt::format("{} of {} utterances are not aligned", without.size(),
                              without.size() + aligned),
                  arguments.json.empty() ? "--json writes the reason of each" : "");
}

}  // namespace

void add_align(CLI::App& app) {
  auto arguments = std::make_shared<AlignArguments>();
  CLI::App* command =
      app.add_subcommand("align", "times of the words of transcripts (forced alignment)");
  command->add_option("model", arguments->model, "model file")->required();
  command->add_option("manifest", arguments->manifest, "utterances with their texts")->required();
  command->add_option("--ctm", arguments->ctm, "NIST CTM to write; none: to stdout");
  command->add_option("--json", arguments->json,
                      "JSON lines to write: words, and tokens with their probabilities; the "
                      "\"reason\" where an utterance has none");
  command->add_option("--batch-seconds", arguments->batch_seconds, "audio in a batch, s")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_threads_flag(*command);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
