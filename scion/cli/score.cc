#include "scion/cli/score.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "scion/scoring/score.h"

namespace scion {
namespace {

struct ScoreArguments {
  std::string references, hypotheses, by = "utterance";
  bool json = false, alignments = false;
  ScoreOptions options;
};

void run(ScoreArguments& arguments) {
  arguments.options.by_speaker = arguments.by == "speaker";
  const SetScore result =
      score(read_transcripts(arguments.references, Role::reference),
            read_transcripts(arguments.hypotheses, Role::hypothesis), arguments.options);
  if (arguments.json) {
    fmt::print("{}\n", to_json(result, arguments.alignments)
                           .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  if (arguments.alignments)
    for (const UtteranceScore& utterance : result.utterances)
      if (utterance.words.errors() > 0) fmt::print("{}\n", to_text(utterance));
  fmt::print("{}", to_text(result));
}

}  // namespace

void add_score(CLI::App& app) {
  auto arguments = std::make_shared<ScoreArguments>();
  CLI::App* command = app.add_subcommand("score", "word and character error rates of hypotheses");
  const char* forms = "Kaldi text (id word word …) or JSON lines (id, text)";
  command->add_option("--ref", arguments->references, forms)->required();
  command->add_option("--hyp", arguments->hypotheses, forms)->required();
  command->add_option("--by", arguments->by, "what the bootstrap draws")
      ->check(CLI::IsMember({"utterance", "speaker"}))
      ->capture_default_str();
  command->add_flag("--speakers-from-ids", arguments->options.speakers_from_ids,
                    "the speaker is what stands before the id's first '-'");
  command->add_flag("--missing-as-empty", arguments->options.missing_as_empty,
                    "a reference without a hypothesis counts as deleted");
  command->add_option("--draws", arguments->options.draws, "bootstrap draws")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", arguments->options.seed, "seed of the bootstrap")
      ->capture_default_str();
  command->add_flag("--alignments", arguments->alignments,
                    "also show the alignments of utterances with errors (all of them in JSON)");
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
