// scion transcribe: audio files → text.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "scion/cli/commands.h"
#include "scion/cli/common_flags.h"
#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/recognition/recogniser.h"
#include "scion/scoring/nist.h"

namespace scion {
namespace {

struct TranscribeArguments {
  std::string model, format = "text";
  std::vector<std::string> files;
  RecogniserConfig config;
  AudioPart part;
  bool json = false, streaming = false;
};

void print(const TranscribeArguments& arguments, const std::string& path,
           const Recognition& result) {
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

// Recognises what `next(count)` returns, up to `count` samples and none at the end, a tenth of a
// second at a time. The text so far is shown on a terminal.
template <class Next>
Recognition recognise_stream(const Recogniser& recogniser, Next next) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  StreamingRecogniser stream = recogniser.stream();
  size_t shown = 0;
  for (;;) {
    const std::vector<float> samples = next(static_cast<size_t>(recogniser.sample_rate() / 10));
    if (samples.empty()) break;
    stream.accept(samples.data(), static_cast<int64_t>(samples.size()));
    const std::vector<int64_t>& tokens = stream.hypothesis().tokens;
    if (terminal && tokens.size() != shown)
      fmt::print(stderr, "\r\033[K{}", recogniser.tokenizer().decode(tokens));
    shown = tokens.size();
  }
  if (terminal) fmt::print(stderr, "\r\033[K");
  stream.finish();
  return stream.recognition();
}

Recognition recognise(const TranscribeArguments& arguments, const Recogniser& recogniser,
                      const std::string& path) {
  if (!arguments.streaming) return recogniser.recognise_file(path, arguments.part);
  if (path == "-")
    return recognise_stream(recogniser, [](size_t count) { return read_raw(stdin, count); });
  const Audio audio = read_audio(path, recogniser.sample_rate(), arguments.part);
  auto rest = audio.samples.begin();
  return recognise_stream(recogniser, [&](size_t count) {
    const auto begin = rest;
    rest +=
        std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(count), audio.samples.end() - rest);
    return std::vector<float>(begin, rest);
  });
}

// A file that cannot be read is reported, and the others are transcribed.
void run(const TranscribeArguments& arguments) {
  if (!arguments.streaming &&
      std::find(arguments.files.begin(), arguments.files.end(), "-") != arguments.files.end())
    throw UserError("standard input ('-') can only be transcribed as a stream",
                    "add --streaming; 16-bit samples at the model's rate are expected");
  const Recogniser recogniser(arguments.model, arguments.config);
  const auto start = std::chrono::steady_clock::now();
  double audio_seconds = 0;
  size_t failed = 0;
  for (const std::string& path : arguments.files) {
    try {
      const Recognition result = recognise(arguments, recogniser, path);
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
    log_info("{:.1f} s of speech in {:.2f} s: real-time factor {:.4f}", audio_seconds, seconds,
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
  command
      ->add_option("files", arguments->files,
                   "audio files; with --streaming, - is standard input: 16-bit samples, one "
                   "channel, the model's rate, no header")
      ->required();
  add_device_flag(*command, arguments->config.device);
  add_search_flags(*command, arguments->config.search);
  command->add_option("--channel", arguments->part.channel, "channel, from 0; -1: the mean of all")
      ->capture_default_str()
      ->check(CLI::Range(-1, 1023));
  add_threads_flag(*command);
  command
      ->add_option("--format", arguments->format,
                   "of the output; in trn and ctm the id is the file's name without its extension")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json", "trn", "ctm"}));
  command->add_flag("--json", arguments->json, "same as --format json: one object per file");
  command->add_flag("--streaming", arguments->streaming,
                    "recognise while the audio arrives, as a device would; streaming models only");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
