// scion score: word and character error rates of hypotheses.
#include "scion/scoring/score.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "scion/cli/commands.h"
#include "scion/cli/common_flags.h"
#include "scion/scoring/sclite.h"
#include "scion/scoring/transcripts.h"

namespace scion {
namespace {

struct ScoreArguments {
  ScoredFiles files;
  std::string utt2spk, by = "utterance", costs = "levenshtein";
  bool json = false, alignments = false, sclite = false, speakers = false;
  size_t confusions = 0;
  ScoreOptions options;
};

nlohmann::json json_of(const ScoreArguments& arguments, const SetScore& result) {
  nlohmann::json json = to_json(result, arguments.alignments);
  if (arguments.speakers) json["speakers"] = to_json(scores_by_speaker(result));
  if (arguments.confusions > 0)
    json["confusions"] = to_json(count_confusions(result.utterances), arguments.confusions);
  return json;
}

void run(ScoreArguments& arguments) {
  arguments.options.by_speaker = arguments.by == "speaker";
  arguments.options.need_speakers = arguments.speakers;
  arguments.options.costs =
      arguments.costs == "nist" ? AlignmentCosts::nist : AlignmentCosts::levenshtein;
  const TranscriptPair pair = read_transcript_pair(arguments.files);
  if (!arguments.utt2spk.empty()) arguments.options.utt2spk = read_utt2spk(arguments.utt2spk);
  const SetScore result = score(pair.references, pair.hypotheses, arguments.options);
  if (arguments.json) {
    fmt::print(
        "{}\n",
        json_of(arguments, result).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  const bool case_counts = arguments.options.text.letter_case == LetterCase::keep;
  const Capitals capitals = case_counts ? Capitals::none : Capitals::wrong_words;
  for (const UtteranceScore& utterance : result.utterances) {
    if (arguments.sclite) fmt::print("{}\n", sclite_text(utterance, capitals));
    if (arguments.alignments && utterance.words.errors() > 0)
      fmt::print("{}\n", to_text(utterance));
  }
  fmt::print("{}", to_text(result));
  if (arguments.speakers) fmt::print("\n{}", speaker_table(scores_by_speaker(result)));
  if (arguments.confusions > 0)
    fmt::print("\n{}", to_text(count_confusions(result.utterances), arguments.confusions));
}

}  // namespace

void add_score(CLI::App& app) {
  auto arguments = std::make_shared<ScoreArguments>();
  CLI::App* command = app.add_subcommand("score", "word and character error rates of hypotheses");
  ScoredFiles& files = arguments->files;
  command
      ->add_option("--ref", files.references,
                   "Kaldi text (id word word …), JSON (id, text), .trn, .ctm or .stm")
      ->required();
  command
      ->add_option("--hyp", files.hypotheses,
                   "Kaldi text, JSON (id, pred_text or text), .trn or .ctm; .ctm for an .stm")
      ->required();
  const char* automatic = "auto: by the extension, or what every line looks like";
  command->add_option("--ref-format", files.reference_format, automatic)
      ->check(CLI::IsMember(transcript_formats()))
      ->capture_default_str();
  command->add_option("--hyp-format", files.hypothesis_format, automatic)
      ->check(CLI::IsMember(transcript_formats()))
      ->capture_default_str();
  command->add_option("--glm", files.rules,
                      "NIST mapping rules for both sides: spellings that count as the same");
  command
      ->add_option("--costs", arguments->costs,
                   "levenshtein: fewest errors; nist: sclite's 4 for a substitution, 3 for others")
      ->check(CLI::IsMember({"levenshtein", "nist"}))
      ->capture_default_str();
  command->add_flag(
      "--fragments", arguments->options.fragments,
      "a fragment, word- or -word, equals every word that begins or ends so (sclite -F)");
  command->add_option("--by", arguments->by, "unit of the bootstrap")
      ->check(CLI::IsMember({"utterance", "speaker"}))
      ->capture_default_str();
  CLI::Option* from_ids =
      command->add_flag("--speakers-from-ids", arguments->options.speakers_from_ids,
                        "the speaker is the part of the id before the first '-', or else '_'");
  command->add_option("--utt2spk", arguments->utt2spk, "speakers: Kaldi's utt2spk (id speaker)")
      ->excludes(from_ids);
  command->add_flag("--missing-as-empty", arguments->options.missing_as_empty,
                    "a reference without a hypothesis counts as deleted");
  NormalisationConfig& text = arguments->options.text;
  add_word_flag(*command, "--unicode", text.unicode, "Unicode normalisation before scoring");
  add_word_flag(*command, "--case", text.letter_case, "letter case before scoring");
  add_word_flag(*command, "--punctuation", text.punctuation, "drop: ignore punctuation");
  command->add_option("--draws", arguments->options.draws, "bootstrap draws")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", arguments->options.seed, "seed of the bootstrap")
      ->capture_default_str();
  command->add_flag("--alignments", arguments->alignments,
                    "also show the alignments of utterances with errors (all of them in JSON)");
  command->add_flag("--sclite", arguments->sclite, "show all alignments as sclite does");
  command->add_flag("--speakers", arguments->speakers, "a table by speaker");
  command->add_option("--confusions", arguments->confusions,
                      "the N words most often confused, inserted and deleted");
  command->add_flag("--json", arguments->json, "print JSON");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
