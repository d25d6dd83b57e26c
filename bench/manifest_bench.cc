// Opening a manifest of a million lines: seconds, and memory that remains allocated.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <fstream>

#include "scion/data/dataset.h"
#include "scion/data/loader.h"

namespace {

namespace fs = std::filesystem;

constexpr int lines = 1000000;

/// A manifest as `scion prepare` writes it, with 10 s and 20 words per line; its audio does not
/// exist.
class BigManifest {
 public:
  BigManifest() : path_(fs::temp_directory_path() / fmt::format("scion-bench-{}.jsonl", getpid())) {
    std::ofstream file(path_);
    for (int i = 0; i < lines; ++i)
      file << fmt::format(
          R"({{"id":"speaker{0:04}-book{1:03}-{2:07}","audio_filepath":"audio/{0:04}/{2:07}.flac",)"
          R"("duration":{3},"text":"{4}","speaker":"speaker{0:04}"}})"
          "\n",
          i % 2000, i % 321, i, 5 + i % 1000 * 0.01,
          "he hoped there would be stew for dinner turnips and carrots and bruised potatoes and "
          "fat "
          "mutton pieces to be ladled out");
  }
  ~BigManifest() { fs::remove(path_); }
  BigManifest(const BigManifest&) = delete;
  BigManifest& operator=(const BigManifest&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Memory of the process in MB, without file pages.
double own_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) / 1024;
  return 0;
}

template <class Open>
void measure(benchmark::State& state, const Open& open) {
  double megabytes = 0;
  for (auto _ : state) {
    const double before = own_megabytes();
    const auto opened = open();
    megabytes = own_megabytes() - before;
    benchmark::DoNotOptimize(opened);
  }
  state.counters["MB"] = megabytes;
}

const BigManifest& manifest() {
  static const BigManifest manifest;
  return manifest;
}

const scion::Tokenizer& tokenizer() {
  static const auto tokenizer =
      scion::Tokenizer::train({"the quick brown fox jumps over the lazy dog"}, {});
  return tokenizer;
}

std::unique_ptr<scion::Dataset> trusted() {
  return std::make_unique<scion::Dataset>(
      std::vector<fs::path>{manifest().path()}, scion::FeatureConfig(), tokenizer(), "",
      std::vector<double>{1.0}, scion::NormalisationConfig(), scion::DataCheck::trust);
}

/// Cost of holding every line as an object.
void manifest_objects(benchmark::State& state) {
  measure(state, [] {
    return std::make_unique<std::vector<scion::Utterance>>(scion::read_manifest(manifest().path()));
  });
}
void manifest_index(benchmark::State& state) {
  measure(state, [] { return std::make_unique<scion::ManifestIndex>(manifest().path()); });
}
void manifest_dataset(benchmark::State& state) { measure(state, trusted); }
/// The plan of an epoch's batches.
void manifest_epoch(benchmark::State& state) {
  const auto dataset = trusted();
  int64_t epoch = 0;
  measure(state, [&] {
    return std::make_unique<std::vector<std::vector<int64_t>>>(
        scion::epoch_batches(*dataset, {}, 1, epoch++));
  });
}

BENCHMARK(manifest_index)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(manifest_dataset)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(manifest_epoch)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(manifest_objects)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
