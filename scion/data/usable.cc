#include "scion/data/usable.h"

#include "scion/core/error.h"
#include "scion/core/out_of_memory.h"
#include "scion/core/parallel_in_order.h"
#include "scion/core/progress.h"

namespace scion {

static constexpr const char* too_short = "too short for a frame";

UsableAudio read_usable_audio(const Utterance& utterance, int64_t sample_rate,
                              int64_t shortest_samples) {
  UsableAudio usable;
  try {
    usable.audio = read_audio(utterance.audio, sample_rate, utterance.part, &usable.quality);
  } catch (const UserError& error) {
    usable.reason = error.what();
    usable.hint = error.hint();
    return usable;
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    usable.reason = utterance.audio.string() + ": out of memory";
    usable.hint = "split the recording, or close other programs";
    return usable;
  }
  const size_t samples = usable.audio.samples.size();
  if (static_cast<int64_t>(samples) < shortest_samples)
    usable.reason = fmt::format("{}: {} samples", too_short, samples);
  return usable;
}

bool is_too_short(const std::string& reason) { return reason.starts_with(too_short); }

int64_t shortest_samples(const Fbank& fbank, const std::vector<double>& speeds) {
  int64_t samples = 1;
  while (fbank.frame_count(samples) == 0) ++samples;
  const double fastest = speeds.empty() ? 1 : *std::max_element(speeds.begin(), speeds.end());
  return static_cast<int64_t>(std::ceil(static_cast<double>(samples) * fastest));
}

std::string duration_fault(double seconds, double listed_seconds) {
  if (std::abs(seconds - listed_seconds) <= std::max(0.1, 0.05 * listed_seconds)) return "";
  return fmt::format("lasts {:.2f} s, {:.2f} s in the manifest", seconds, listed_seconds);
}

std::string text_fault(const std::string& text) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "no text";
  if (text.find("\uFFFD") != std::string::npos)
    return "its text has U+FFFD, which stands for characters that were lost";
  return "";
}

std::string text_fault(const std::string& text, const Tokenizer& tokenizer) {
  if (std::string fault = text_fault(text); !fault.empty()) return fault;
  const std::vector<std::string> uncovered = tokenizer.uncovered(text);
  if (!uncovered.empty())
    return fmt::format("characters outside the alphabet: {}", fmt::join(uncovered, " "));
  return tokenizer.encode(text).empty() ? "no text" : "";
}

std::vector<AudioCheck> check_audio(const std::vector<Utterance>& utterances, int64_t sample_rate,
                                    int64_t shortest_samples, const std::string& title) {
  std::vector<AudioCheck> checks(utterances.size());
  Progress progress(title, static_cast<int64_t>(utterances.size()), "utterances");
  work_in_order<AudioCheck>(
      utterances.size(),
      [&](size_t i) {
        const UsableAudio usable = read_usable_audio(utterances[i], sample_rate, shortest_samples);
        return AudioCheck{usable.audio.seconds(), usable.reason, usable.quality, usable.hint};
      },
      [&](size_t i, AudioCheck check) {
        checks[i] = std::move(check);
        progress.update(static_cast<int64_t>(i) + 1);
      });
  progress.finish();
  return checks;
}

}  // namespace scion
