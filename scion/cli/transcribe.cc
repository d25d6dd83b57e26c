// scion transcribe: audio files → text.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "scion/audio/audio_file.h"
#include "scion/audio/fbank.h"
#include "scion/cli/commands.h"
#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"
#include "scion/model/model_file.h"
#include "scion/recognition/streaming_recogniser.h"
#include "scion/recognition/word_times.h"
#include "scion/search/greedy_search.h"
#include "scion/text/tokenizer.h"

namespace scion {
namespace {

struct TranscribeArguments {
  std::string model, device = "cpu", format = "text";
  std::vector<std::string> files;
  int threads = 0;
  int64_t channel = -1;
  bool json = false, streaming = false;
};

// Samples one piece after the other.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  /// At most `count` samples in [-1, 1]; none at the end.
  virtual std::vector<float> next(int64_t count) = 0;
};

class FileSamples : public SampleSource {
 public:
  explicit FileSamples(std::vector<float> samples) : samples_(std::move(samples)) {}
  std::vector<float> next(int64_t count) override {
    const size_t end = std::min(samples_.size(), taken_ + static_cast<size_t>(count));
    const auto first = samples_.begin();
    std::vector<float> piece(first + static_cast<int64_t>(taken_),
                             first + static_cast<int64_t>(end));
    taken_ = end;
    return piece;
  }

 private:
  std::vector<float> samples_;
  size_t taken_ = 0;
};

// 16-bit samples without a header on standard input, as arecord and ffmpeg write them.
class StandardInput : public SampleSource {
 public:
  std::vector<float> next(int64_t count) override {
    std::vector<int16_t> integers(static_cast<size_t>(count));
    integers.resize(std::fread(integers.data(), sizeof(int16_t), integers.size(), stdin));
    std::vector<float> samples;
    samples.reserve(integers.size());
    for (const int16_t value : integers) samples.push_back(static_cast<float>(value) / 32768);
    return samples;
  }
};

class Transcriber {
 public:
  Transcriber(const std::string& model, const std::string& device, int64_t channel)
      : file_(load_model(model)),
        channel_(channel),
        tokenizer_(file_.tokenizer),
        fbank_(file_.model->config().features) {
    file_.model->to(find_device(device));
  }

  struct Result {
    std::string text;
    double audio_seconds = 0;
    std::vector<TimedWord> words;
  };

  Audio read(const std::string& path) const {
    return read_audio(path, file_.model->config().features.sample_rate, {.channel = channel_});
  }

  Result transcribe(const std::string& path) const {
    const Audio audio = read(path);
    return result(search(audio.samples), audio.seconds());
  }

  /// As if the samples arrived while they are spoken, a tenth of a second at a time: `show` is
  /// given the text whenever it has grown.
  Result transcribe_stream(SampleSource& source,
                           const std::function<void(const std::string&)>& show) const {
    StreamingRecogniser recogniser(*file_.model, SearchConfig{}, ForwardContext());
    size_t shown = 0;
    int64_t count = 0;
    for (;;) {
      const std::vector<float> samples = source.next(sample_rate() / 10);
      if (samples.empty()) break;
      count += static_cast<int64_t>(samples.size());
      recogniser.accept(samples.data(), static_cast<int64_t>(samples.size()));
      if (recogniser.hypothesis().tokens.size() == shown) continue;
      shown = recogniser.hypothesis().tokens.size();
      show(tokenizer_.decode(recogniser.hypothesis().tokens));
    }
    recogniser.finish();
    return result(recogniser.hypothesis(),
                  static_cast<double>(count) / static_cast<double>(sample_rate()));
  }

 private:
  int64_t sample_rate() const { return file_.model->config().features.sample_rate; }

  Hypothesis search(const std::vector<float>& samples) const {
    const at::NoGradGuard no_grad;
    const at::Tensor features = fbank_.compute(at::tensor(samples).to(file_.model->device()));
    const at::Tensor length = at::tensor({features.size(0)}).to(file_.model->device());
    const ForwardContext context;
    const EncoderOutput encoded = file_.model->encode(features.unsqueeze(0), length, context);
    return greedy_search(*file_.model, encoded, SearchConfig{}, context).front();
  }

  Result result(const Hypothesis& hypothesis, double seconds) const {
    return {tokenizer_.decode(hypothesis.tokens), seconds,
            word_times(hypothesis, tokenizer_, encoder_frame_seconds(file_.model->config()))};
  }

  ModelFile file_;
  int64_t channel_;
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

Transcriber::Result recognise(const TranscribeArguments& arguments, const Transcriber& transcriber,
                              const std::string& path) {
  if (!arguments.streaming) return transcriber.transcribe(path);
  std::unique_ptr<SampleSource> source;
  if (path == "-")
    source = std::make_unique<StandardInput>();
  else
    source = std::make_unique<FileSamples>(transcriber.read(path).samples);
  const bool watched = isatty(STDERR_FILENO) != 0;
  const auto result = transcriber.transcribe_stream(*source, [&](const std::string& text) {
    if (watched) fmt::print(stderr, "\r\033[K{}", text);
  });
  if (watched) fmt::print(stderr, "\r\033[K");
  return result;
}

// A file that cannot be read is reported and the others are transcribed all the same.
void run(const TranscribeArguments& arguments) {
  if (!arguments.streaming &&
      std::find(arguments.files.begin(), arguments.files.end(), "-") != arguments.files.end())
    throw UserError("standard input ('-') can only be transcribed as a stream",
                    "add --streaming; 16-bit samples at the model's rate are expected");
  if (arguments.threads > 0) set_thread_count(arguments.threads);
  const Transcriber transcriber(arguments.model, arguments.device, arguments.channel);
  const auto start = std::chrono::steady_clock::now();
  double audio_seconds = 0;
  size_t failed = 0;
  for (const std::string& path : arguments.files) {
    try {
      const Transcriber::Result result = recognise(arguments, transcriber, path);
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
  command->add_option("--device", arguments->device, "cpu, cuda")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "cuda"}));
  command->add_option("--channel", arguments->channel, "to take, from 0; -1: all of them, averaged")
      ->capture_default_str()
      ->check(CLI::Range(-1, 1023));
  command->add_option("--threads", arguments->threads, "0: all processors");
  command
      ->add_option("--format", arguments->format,
                   "of the output; in trn and ctm the id is the file's name without its ending")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json", "trn", "ctm"}));
  command->add_flag("--json", arguments->json, "the same as --format json: one object a file");
  command->add_flag(
      "--streaming", arguments->streaming,
      "recognise while the audio arrives, as a device would; only models that stream");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
