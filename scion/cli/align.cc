// scion align: when the words of a transcript were said.
#include <fmt/format.h>

#include "scion/cli/commands.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/core/progress.h"
#include "scion/core/threads.h"
#include "scion/loss/alignment.h"
#include "scion/recognition/model_dataset.h"
#include "scion/recognition/word_times.h"
#include "scion/scoring/nist.h"

namespace scion {
namespace {

struct AlignArguments {
  std::string model, manifest, ctm, json;
  double batch_seconds = 60;
  int threads = 0;
};

std::vector<ForcedAlignment> align_batch(const Transducer& model, const Batch& batch) {
  const ForwardContext context;
  const EncoderOutput encoded = model.encode(batch.features, batch.feature_lengths, context);
  const Joiner& joiner = model.joiner();
  const at::Tensor predicted = model.predictor().forward(batch.tokens, context);
  return best_alignments({joiner.project_encoder(encoded.frames, context),
                          joiner.project_predictor(predicted, context), joiner.weight(),
                          joiner.bias(), batch.tokens, encoded.lengths, batch.token_lengths});
}

nlohmann::ordered_json to_json(const std::string& id, const std::vector<TimedWord>& words,
                               const ForcedAlignment& alignment, double frame_seconds,
                               const Tokenizer& tokenizer, const std::vector<int64_t>& tokens) {
  nlohmann::ordered_json line = {{"id", id},
                                 {"log_probability", alignment.log_probability},
                                 {"words", nlohmann::ordered_json::array()},
                                 {"tokens", nlohmann::ordered_json::array()}};
  for (const TimedWord& word : words)
    line["words"].push_back(
        {{"word", word.word}, {"start", word.start}, {"duration", word.duration}});
  for (size_t u = 0; u < tokens.size(); ++u)
    line["tokens"].push_back({{"piece", tokenizer.piece(tokens[u])},
                              {"seconds", double(alignment.frames[u]) * frame_seconds},
                              {"probability", alignment.probabilities[u]}});
  return line;
}

void run(const AlignArguments& arguments) {
  const at::NoGradGuard no_grad;
  if (arguments.threads > 0) set_thread_count(arguments.threads);
  const ModelFile file = load_model(arguments.model);
  const Dataset data = dataset_for(file, {arguments.manifest});
  const Tokenizer& tokenizer = data.tokenizer();
  const double frame_seconds = encoder_frame_seconds(file.model->config());
  log_info("aligns {} utterances of {} by {}", data.size(), arguments.manifest, arguments.model);
  Progress progress("aligning", int64_t(data.size()), "utterances");
  std::vector<std::string> lines(data.size());
  std::vector<TimedTranscript> transcripts(data.size());
  int64_t done = 0, impossible = 0;
  for (const std::vector<int64_t>& indices : evaluation_batches(data, arguments.batch_seconds)) {
    std::vector<at::Tensor> features;
    for (const int64_t i : indices) features.push_back(data.features(size_t(i), 1));
    const auto alignments = align_batch(*file.model, collate(data, indices, features));
    for (size_t b = 0; b < indices.size(); ++b) {
      const auto i = static_cast<size_t>(indices[b]);
      const Utterance utterance = data.utterance(i);
      const std::vector<int64_t> tokens = tokenizer.encode(utterance.text);
      transcripts[i].id = utterance.id;
      if (alignments[b].frames.size() != tokens.size()) {
        ++impossible;
        continue;
      }
      transcripts[i].words = word_times({tokens, alignments[b].frames}, tokenizer, frame_seconds);
      lines[i] = to_json(transcripts[i].id, transcripts[i].words, alignments[b], frame_seconds,
                         tokenizer, tokens)
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                 "\n";
    }
    progress.update(done += int64_t(indices.size()));
  }
  progress.finish();
  if (impossible > 0) log_warning("{} utterances have no alignment", impossible);
  if (!arguments.json.empty()) write_file(arguments.json, fmt::format("{}", fmt::join(lines, "")));
  if (arguments.ctm.empty())
    fmt::print("{}", to_ctm(transcripts));
  else
    write_file(arguments.ctm, to_ctm(transcripts));
  for (const std::string& path : {arguments.ctm, arguments.json})
    if (!path.empty()) fmt::print("{}\n", path);
}

}  // namespace

void add_align(CLI::App& app) {
  auto arguments = std::make_shared<AlignArguments>();
  CLI::App* command =
      app.add_subcommand("align", "when the words of transcripts were said (forced alignment)");
  command->add_option("model", arguments->model, "model file")->required();
  command->add_option("manifest", arguments->manifest, "utterances with their texts")->required();
  command->add_option("--ctm", arguments->ctm, "NIST CTM to write; none: to stdout");
  command->add_option("--json", arguments->json,
                      "JSON lines to write: words, and tokens with their probabilities");
  command->add_option("--batch-seconds", arguments->batch_seconds, "audio in a batch, s")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "0: all processors")
      ->check(CLI::NonNegativeNumber);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
