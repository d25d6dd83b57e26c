// A corpus of made-up speech in a folder, for tests.
#pragma once

#include <string>
#include <vector>

#include "scion/data/manifest/manifest.h"
#include "scion/text/tokenizer.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/temporary_folder.h"

namespace scion {

inline const std::vector<std::string>& small_texts() {
  static const std::vector<std::string> texts = {"one two",    "three", "four five six", "seven",
                                                 "eight nine", "zero",  "yes no"};
  return texts;
}

inline const Tokenizer& small_tokenizer() {
  static const Tokenizer tokenizer = Tokenizer::train(small_texts(), {});
  return tokenizer;
}

/// `count` utterances "u00", "u01", … of 0.3 s to 1.2 s by four speakers, as WAV files.
class SmallCorpus {
 public:
  explicit SmallCorpus(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      Utterance utterance;
      utterance.id = std::string(i < 10 ? "u0" : "u") + std::to_string(i);
      utterance.audio = folder_ / (utterance.id + ".wav");
      utterance.seconds = 0.3 + 0.1 * double(i * 7 % 10);
      utterance.text = small_texts()[i % small_texts().size()];
      utterance.speaker = "speaker" + std::to_string(i % 4);
      write_sound(utterance.audio, voice(utterance.seconds, i));
      utterances_.push_back(utterance);
    }
    save();
  }

  void save() const { write_manifest(manifest(), utterances_); }
  std::filesystem::path manifest() const { return folder_ / "manifest.jsonl"; }
  std::filesystem::path cache() const { return folder_ / "cache"; }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::vector<Utterance>& utterances() { return utterances_; }

 private:
  TemporaryFolder folder_;
  std::vector<Utterance> utterances_;
};

}  // namespace scion
