// scion transcribe: audio files → text.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "scion/audio/audio_file.h"
#include "scion/audio/fbank.h"
#include "scion/cli/commands.h"
#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"
#include "scion/model/model_file.h"
#include "scion/text/tokenizer.h"
#include "scion/transducer/greedy_search.h"
#include "scion/transducer/word_times.h"

namespace scion {
namespace {

struct TranscribeArguments {
  std::string model, device = "cpu", format = "text";
  std::vector<std::string> files;
  int threads = 0;
  bool json = false;
};

class Transcriber {
 public:
  Transcriber(const std::string& model, const std::string& device)
      : file_(load_model(model)),
        tokenizer_(file_.tokenizer),
        fbank_(file_.model->config().features) {
    file_.model->to(find_device(device));
  }

  struct Result {
    std::string text;
    double audio_seconds = 0;
    std::vector<TimedWord> words;
  };

  Result transcribe(const std::string& path) const {
    const at::NoGradGuard no_grad;
    const Audio audio = read_audio(path, file_.model->config().features.sample_rate);
    const at::Tensor features = fbank_.compute(at::tensor(audio.samples).to(file_.model->device()));
    const at::Tensor length = at::tensor({features.size(0)}).to(file_.model->device());
    const Context context;
    const EncoderOutput encoded = file_.model->encode(features.unsqueeze(0), length, context);
    const auto hypotheses = greedy_search(*file_.model, encoded, SearchConfig{}, context);
    return {
        tokenizer_.decode(hypotheses.front().tokens), audio.seconds(),
        word_times(hypotheses.front(), tokenizer_, encoder_frame_seconds(file_.model->config()))};
  }

 private:
  ModelFile file_;
  Tokenizer tokenizer_;
  Fbank fbank_;
};

void print(const TranscribeArguments& arguments, const std::string& path,
           const Transcriber::Result& result) {
  const std::string id = std::filesystem::path(path).stem();
  if (arguments.format == "trn")
    fmt::print("{}", to_trn({{id, result.text}}));
  else if (arguments.format == "ctm")
    fmt::print("{}", to_ctm({{id, result.words}}));
  else if (arguments.json || arguments.format == "json")
    fmt::print("{}\n", nlohmann::json({{"audio_filepath", path},
                                       {"duration", result.audio_seconds},
                                       {"text", result.text}})
                           .dump());
  else
    fmt::print("{}\t{}\n", path, result.text);
}

// A file that cannot be read is reported and the others are transcribed all the same.
void run(const TranscribeArguments& arguments) {
  if (arguments.threads > 0) set_thread_count(arguments.threads);
  const Transcriber transcriber(arguments.model, arguments.device);
  const auto start = std::chrono::steady_clock::now();
  double audio_seconds = 0;
  size_t failed = 0;
  for (const std::string& path : arguments.files) {
    try {
      const Transcriber::Result result = transcriber.transcribe(path);
      audio_seconds += result.audio_seconds;
      print(arguments, path, result);
    } catch (const UserError& error) {
      ++failed;
      fmt::print(stderr, "error: {}\nhint: {}\n", error.what(), error.hint());
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (audio_seconds > 0)
    spdlog::info("{:.1f} s of speech in {:.2f} s: real-time factor {:.4f}", audio_seconds, seconds,
                 seconds / audio_seconds);
  if (failed > 0)
    throw UserError(
        fmt::format("{} of {} files could not be transcribed", failed, arguments.files.size()),
        "see the errors above");
}

}  // namespace

void add_transcribe(CLI::App& app) {
  auto arguments = std::make_shared<TranscribeArguments>();
  CLI::App* command = app.add_subcommand("transcribe", "audio files to text");
  command->add_option("model", arguments->model, "model file")->required();
  command->add_option("files", arguments->files, "audio files")->required();
  command->add_option("--device", arguments->device, "cpu, cuda")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "cuda"}));
  command->add_option("--threads", arguments->threads, "0: all processors");
  command
      ->add_option("--format", arguments->format,
                   "of the output; in trn and ctm the id is the file's name without its ending")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json", "trn", "ctm"}));
  command->add_flag("--json", arguments->json, "the same as --format json: one object a file");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
