// Recogniser: a model file, ready to turn audio into text.
#pragma once

#include <filesystem>
#include <string>

#include "scion/audio/audio_file.h"
#include "scion/model/model_file.h"
#include "scion/model/precision.h"
#include "scion/recognition/recognition.h"
#include "scion/recognition/streaming_recogniser.h"

namespace scion {

struct RecogniserConfig {
  std::string device = "cpu";             ///< cpu, cuda
  Precision precision = Precision::fp32;  ///< of matrix products
  SearchConfig search;
  bool suppress_unknown = false;  ///< the label of unknown characters is never emitted
};

/// Several threads may use one recogniser at a time. Numbers of threads: set_thread_count().
class Recogniser {
 public:
  /// UserError when the file is not a model or the device does not exist.
  explicit Recogniser(const std::filesystem::path& model, const RecogniserConfig& config = {});

  /// Recognises a whole utterance; resampled when its rate is not the model's.
  Recognition recognise(const Audio& audio) const;
  /// Reads and recognises a file, or the part of it. Errors as read_audio; Failure when memory runs
  /// out.
  Recognition recognise_file(const std::filesystem::path& path, const AudioPart& part = {}) const;
  /// Recognises an utterance while its samples arrive. UserError for a model that needs to see the
  /// whole utterance. The recogniser must outlive the stream.
  StreamingRecogniser stream() const;

  int64_t sample_rate() const { return model().config().features.sample_rate; }  ///< Hz
  const Transducer& model() const { return *file_.model; }
  const Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  // (T, F); released as soon as they are subsampled.
  Recognition recognise_features(at::Tensor features, double seconds) const;

  ModelFile file_;
  Tokenizer tokenizer_;
  RecogniserConfig config_;
  ForwardContext context_;
};

}  // namespace scion
