// scion transcribe: audio files → text.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "scion/audio/sample_stream.h"
#include "scion/cli/commands.h"
#include "scion/cli/common_flags.h"
#include "scion/core/error.h"
#include "scion/core/foreign_text.h"
#include "scion/core/log.h"
#include "scion/core/out_of_memory.h"
#include "scion/data/manifest/unique_ids.h"
#include "scion/recognition/recognise_files.h"
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

// A name on a line of its own, between tabs.
std::string shown(const std::string& path) {
  std::string text = printable(path);
  for (size_t i = 0; (i = text.find('\n', i)) != std::string::npos;) text.replace(i, 1, "\\n");
  return text;
}

void print(const TranscribeArguments& arguments, const std::string& path, const std::string& id,
           const Recognition& result) {
  using Json = nlohmann::json;
  if (arguments.format == "trn")
    fmt::print("{}", to_trn({{id, result.text}}));
  else if (arguments.format == "ctm")
    fmt::print("{}", to_ctm({{id, result.words}}));
  else if (arguments.json || arguments.format == "json")
    fmt::print("{}\n", Json({{"audio_filepath", path},
                             {"id", id},
                             {"duration", result.audio_seconds},
                             {"text", result.text}})
                           .dump(-1, ' ', false, Json::error_handler_t::replace));
  else
    fmt::print("{}\t{}\n", shown(path), result.text);
  std::fflush(stdout);
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

Recognition recognise_as_stream(const TranscribeArguments& arguments, const Recogniser& recogniser,
                                const std::string& path) {
  if (path == "-") {
    SampleStream input(stdin, recogniser.sample_rate());
    Recognition result =
        recognise_stream(recogniser, [&](size_t count) { return input.read(count); });
    if (input.ends_inside_a_sample())
      log_warning(
          "standard input has an odd number of bytes: its last one, half a sample, is left out");
    return result;
  }
  const Audio audio = read_audio(path, recogniser.sample_rate(), arguments.part);
  auto rest = audio.samples.begin();
  return recognise_stream(recogniser, [&](size_t count) {
    const auto begin = rest;
    rest +=
        std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(count), audio.samples.end() - rest);
    return std::vector<float>(begin, rest);
  });
}

void report(const std::string& message, const std::string& hint) {
  fmt::print(stderr, "error: {}\n", printable(message));
  if (!hint.empty()) fmt::print(stderr, "hint: {}\n", printable(hint));
}

// The exception that is being handled.
void report_failure(const std::string& path) {
  try {
    throw;
  } catch (const Error& error) {
    report(error.what(), error.hint());
  } catch (const std::exception& error) {
    const std::string what = error.what();
    if (is_out_of_memory(error))
      report("out of memory on " + path, "close other programs");
    else
      report(fmt::format("{}: {}", path, what.substr(0, what.find('\n'))),
             "this is a defect in scion; please report it with the file");
  }
}

void recognise_streams(const TranscribeArguments& arguments, const Recogniser& recogniser,
                       const std::function<void(size_t, const FileOutcome&)>& take) {
  for (size_t i = 0; i < arguments.files.size(); ++i)
    take(i, FileOutcome::of(
                [&] { return recognise_as_stream(arguments, recogniser, arguments.files[i]); }));
}

// A file that cannot be transcribed is reported, and the others are transcribed.
void run(const TranscribeArguments& arguments) {
  const std::vector<std::string>& files = arguments.files;
  if (!arguments.streaming && std::find(files.begin(), files.end(), "-") != files.end())
    throw UserError("standard input ('-') can only be transcribed as a stream",
                    "add --streaming; 16-bit samples at the model's rate are expected");
  const Recogniser recogniser(arguments.model, arguments.config);
  const std::vector<std::string> ids = unique_ids({files.begin(), files.end()});
  const auto start = std::chrono::steady_clock::now();
  double audio_seconds = 0;
  size_t failed = 0;
  const auto take = [&](size_t i, const FileOutcome& outcome) {
    try {
      if (outcome.error) std::rethrow_exception(outcome.error);
      print(arguments, files[i], ids[i], outcome.recognition);
      audio_seconds += outcome.recognition.audio_seconds;
    } catch (...) {
      report_failure(files[i]);
      ++failed;
    }
  };
  if (arguments.streaming)
    recognise_streams(arguments, recogniser, take);
  else
    recognise_files(recogniser, {files.begin(), files.end()}, arguments.part, take);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (audio_seconds > 0)
    log_info("{:.1f} s of speech in {:.2f} s: real-time factor {:.4f}", audio_seconds, seconds,
             seconds / audio_seconds);
  if (failed > 0)
    throw Failure(fmt::format("{} of {} files could not be transcribed", failed, files.size()),
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
                   "channel, the model's rate; a WAV header that says so is skipped")
      ->required();
  add_word_flag(*command, "--precision", arguments->config.precision,
                "number format of matrix products");
  add_device_flag(*command, arguments->config.device);
  add_search_flags(*command, arguments->config.search, arguments->config.suppress_unknown);
  command->add_option("--channel", arguments->part.channel, "channel, from 0; -1: the mean of all")
      ->capture_default_str()
      ->check(CLI::Range(-1, 1023));
  add_threads_flag(*command);
  command
      ->add_option("--format", arguments->format,
                   "of the output; an id is the file's name without its extension, with as many "
                   "folders as tell it from the others")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json", "trn", "ctm"}));
  command->add_flag("--json", arguments->json, "same as --format json: one object per file");
  command->add_flag("--streaming", arguments->streaming,
                    "recognise while the audio arrives, as a device would; streaming models only");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
