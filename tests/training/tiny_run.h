// A training run small enough for tests: a few utterances of AN4, a tiny model.
#pragma once

#include <filesystem>

#include "scion/core/files/file.h"
#include "scion/data/manifest/manifest.h"
#include "scion/training/config/run_config.h"
#include "tests/model/small_models.h"

namespace scion::testing {

inline std::filesystem::path an4() { return std::filesystem::path(SCION_SOURCE_DIR) / "data/an4"; }

inline std::filesystem::path small_manifest(const std::filesystem::path& folder, size_t count) {
  std::vector<Utterance> utterances = read_manifest(an4() / "train.jsonl");
  utterances.resize(count);
  write_manifest(folder / "small.jsonl", utterances);
  return folder / "small.jsonl";
}

inline RunConfig tiny_run(const std::filesystem::path& folder, size_t utterances = 24) {
  RunConfig config;
  const std::string manifest = small_manifest(folder, utterances);
  config.data.train = {manifest};
  config.data.evaluation = {{"train", manifest}};
  config.data.cache = folder / "cache";
  config.model = small_config("bias", "batch", 6);
  config.loader.batch_seconds = 10;
  config.loader.buckets = 2;
  config.train.epochs = 3;
  config.train.threads = 1;
  config.train.checkpoint.every = Span::updates(2);
  config.train.average_last = 2;
  return config;
}

}  // namespace scion::testing
