// Flags that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "scion/core/options.h"
#include "scion/core/threads.h"
#include "scion/search/search.h"

namespace scion {

/// A flag whose value is one of an enum's words.
template <WordEnum Enum>
void add_word_flag(CLI::App& command, const std::string& flag, Enum& value,
                   const std::string& help) {
  command
      .add_option_function<std::string>(
          flag, [&value](const std::string& word) { value = enum_of<Enum>(word).value(); }, help)
      ->check(CLI::IsMember(words_of<Enum>()))
      ->default_str(word_of(value));
}

/// `--device`, stored in `device`.
inline void add_device_flag(CLI::App& command, std::string& device) {
  command.add_option("--device", device, "cpu, cuda")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "cuda"}));
}

/// `--threads`, which sets the number of threads when the command line is parsed.
inline void add_threads_flag(CLI::App& command) {
  command
      .add_option_function<int>(
          "--threads", [](int count) { use_threads(count); }, "0: all processors")
      ->check(CLI::NonNegativeNumber);
}

/// The options of a search; `--suppress-unknown` is stored in `suppress_unknown`.
inline void add_search_flags(CLI::App& command, SearchConfig& search, bool& suppress_unknown) {
  command
      .add_option("--symbols-per-frame", search.symbols_per_frame,
                  "maximum number of labels in one encoder frame of greedy search; sherpa-onnx and "
                  "icefall take 1, NeMo 10")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  add_word_flag(command, "--frame-limit", search.frame_limit,
                "TDT models: what --symbols-per-frame counts; labels: those of duration 0, steps: "
                "blanks too, and a frame is added to the last duration");
  command
      .add_option("--beam", search.beam,
                  "hypotheses that are followed; 1: greedy search, more: modified beam search, at "
                  "most one label in a frame")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command
      .add_option("--blank-penalty", search.blank_penalty,
                  "is subtracted from the logit of blank; larger: fewer deletions, more insertions")
      ->capture_default_str()
      ->check(CLI::Range(-100.0, 100.0));
  command
      .add_option("--temperature", search.temperature,
                  "divides the logits; larger: probabilities that differ less")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 100.0));
  command.add_flag("--suppress-unknown", suppress_unknown,
                   "never emit the label of unknown characters");
}

}  // namespace scion
