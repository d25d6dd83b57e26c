#include "scion/data/audio_check.h"

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/parallel_in_order.h"
#include "scion/core/progress.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr double largest_skipped_share = 0.05;

AudioCheck check_one(const Utterance& utterance, int64_t sample_rate, int64_t shortest_samples) {
  AudioCheck check;
  try {
    const Audio audio = read_audio(utterance.audio, sample_rate, utterance.part);
    check.seconds = audio.seconds();
    if (int64_t(audio.samples.size()) < shortest_samples)
      check.reason = fmt::format("too short for a frame: {} samples", audio.samples.size());
  } catch (const UserError& error) {
    check.reason = error.what();
  }
  return check;
}

}  // namespace

std::vector<AudioCheck> check_audio(const std::vector<Utterance>& utterances, int64_t sample_rate,
                                    int64_t shortest_samples, const std::string& title) {
  std::vector<AudioCheck> checks(utterances.size());
  Progress progress(title, int64_t(utterances.size()), "utterances");
  work_in_order<AudioCheck>(
      utterances.size(),
      [&](size_t i) { return check_one(utterances[i], sample_rate, shortest_samples); },
      [&](size_t i, AudioCheck check) {
        checks[i] = std::move(check);
        progress.update(int64_t(i) + 1);
      });
  progress.finish();
  return checks;
}

std::string check_text(const std::string& text, const Tokenizer& tokenizer) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "no text";
  const std::vector<std::string> uncovered = tokenizer.uncovered(text);
  if (!uncovered.empty())
    return fmt::format("characters outside the alphabet: {}", fmt::join(uncovered, " "));
  return tokenizer.encode(text).empty() ? "no text" : "";
}

void check_skipped_share(const fs::path& source, const std::vector<Skipped>& skipped,
                         size_t total) {
  if (double(skipped.size()) <= largest_skipped_share * double(total)) return;
  std::string examples;
  for (size_t i = 0; i < std::min<size_t>(3, skipped.size()); ++i)
    examples += fmt::format("{}{} ({})", i ? "; " : "", skipped[i].id, skipped[i].reason);
  throw UserError(fmt::format("{} of {} utterances of {} cannot be used: {}{}", skipped.size(),
                              total, source.string(), examples, skipped.size() > 3 ? "; …" : ""),
                  "mend or leave out these utterances: at most 5 % may be skipped");
}

std::string skipped_line(const Skipped& skipped) {
  const nlohmann::ordered_json line = {{"id", skipped.id}, {"reason", skipped.reason}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_skipped(const fs::path& path, const std::vector<Skipped>& skipped) {
  std::string text;
  for (const Skipped& one : skipped) text += skipped_line(one) + "\n";
  write_file(path, text);
}

}  // namespace scion
