#include "scion/study/conditions/condition.h"

#include <set>

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/make_once.h"
#include "scion/core/log.h"
#include "scion/core/options.h"
#include "scion/core/parallel_in_order.h"
#include "scion/core/progress.h"
#include "scion/core/random.h"
#include "scion/data/manifest/manifest.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr int condition_version = 1;
constexpr int64_t sample_rate = 16000;

std::string condition_name(const fs::path& manifest, const fs::path& babble_manifest,
                           const CorruptionConfig& config) {
  std::string recipe =
      fmt::format("version {}\n{}\n", condition_version, options_json(config).dump());
  for (const fs::path& path : {manifest, babble_manifest})
    if (!path.empty())
      recipe += fmt::format("{} {}\n", fs::absolute(path).lexically_normal().string(),
                            file_checksum(path));
  return fmt::format("{}-{}", manifest.stem().string(), checksum(recipe));
}

/// Utterances of `count` distinct speakers other than the listener's; distinct utterances if the
/// speakers are unknown.
std::vector<const Utterance*> draw_voices(const std::vector<Utterance>& pool,
                                          const Utterance& listener, int64_t count, Random random) {
  std::vector<const Utterance*> voices;
  std::set<std::string> taken = {listener.speaker.empty() ? listener.id : listener.speaker};
  // The number of tries is bounded: the pool may have too few speakers.
  for (size_t tries = 0; tries < 20 * pool.size() && int64_t(voices.size()) < count; ++tries) {
    const Utterance& voice = pool[static_cast<size_t>(random.below(int64_t(pool.size())))];
    const std::string& name = voice.speaker.empty() ? voice.id : voice.speaker;
    if (taken.insert(name).second) voices.push_back(&voice);
  }
  return voices;
}

/// Empty if the audio cannot be read.
std::vector<float> readable_samples(const Utterance& utterance) {
  try {
    return read_audio(utterance.audio, sample_rate, utterance.part).samples;
  } catch (const UserError& error) {
    log_warning("left out of the condition: {}", error.what());
    return {};
  }
}

std::vector<float> corrupted_samples(const Utterance& utterance, const std::vector<Utterance>& pool,
                                     const CorruptionConfig& config) {
  const std::vector<float> samples = readable_samples(utterance);
  if (samples.empty()) return {};
  const uint64_t name = stable_hash(utterance.id);
  std::vector<std::vector<float>> others;
  if (!pool.empty())
    for (const Utterance* voice :
         draw_voices(pool, utterance, config.babble_speakers,
                     Random(static_cast<uint64_t>(config.seed), RandomStream::corruption, 0, name)))
      others.push_back(readable_samples(*voice));
  return corrupt(samples, sample_rate, others, config, name);
}

void write_condition(const fs::path& folder, const fs::path& manifest,
                     const fs::path& babble_manifest, const CorruptionConfig& config) {
  std::vector<Utterance> utterances = read_manifest(manifest);
  std::vector<Utterance> pool;
  if (!babble_manifest.empty() && config.babble_speakers > 0) pool = read_manifest(babble_manifest);
  Progress progress("corrupting " + manifest.filename().string(), int64_t(utterances.size()),
                    "utterances");
  work_in_order<std::vector<float>>(
      utterances.size(), [&](size_t i) { return corrupted_samples(utterances[i], pool, config); },
      [&](size_t i, const std::vector<float>& samples) {
        if (!samples.empty()) {
          // Ids may hold any character: files are numbered.
          utterances[i].audio = folder / "audio" / fmt::format("{:06}.wav", i);
          const Audio audio{samples, sample_rate};
          write_wav(utterances[i].audio, audio);
          utterances[i].seconds = audio.seconds();
          utterances[i].part = {};
        }
        progress.update(int64_t(i) + 1);
      });
  write_manifest(folder / "manifest.jsonl", utterances);
  progress.finish();
}

}  // namespace

fs::path make_condition(const fs::path& manifest, const fs::path& babble_manifest,
                        const CorruptionConfig& config, const fs::path& directory) {
  const fs::path folder = directory / condition_name(manifest, babble_manifest, config);
  make_once(folder, [&](const fs::path& temporary) {
    write_condition(temporary, manifest, babble_manifest, config);
  });
  return folder / "manifest.jsonl";
}

}  // namespace scion
