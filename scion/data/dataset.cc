#include "scion/data/dataset.h"

#include <unordered_set>

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/data/feature_store.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::vector<AudioCheck> checks_of(const FeatureStore& store, size_t count) {
  std::vector<AudioCheck> checks;
  for (size_t i = 0; i < count; ++i) checks.push_back({store.seconds(i), store.reason(i)});
  return checks;
}

/// The fewest samples that give a frame at the fastest speed.
int64_t shortest_samples(const Fbank& fbank, const std::vector<double>& speeds) {
  int64_t samples = 1;
  while (fbank.frame_count(samples) == 0) ++samples;
  const double fastest = speeds.empty() ? 1 : *std::max_element(speeds.begin(), speeds.end());
  return static_cast<int64_t>(std::ceil(double(samples) * fastest));
}

}  // namespace

Dataset::Dataset(const std::vector<fs::path>& manifests, const FeatureConfig& features,
                 const Tokenizer& tokenizer, const fs::path& cache_directory,
                 const std::vector<double>& speeds, const NormalisationConfig& text)
    : feature_config_(features), text_(text), fbank_(features), speeds_(speeds) {
  for (size_t i = 0; i < manifests.size(); ++i) read(i, manifests[i], tokenizer, cache_directory);
  std::unordered_set<std::string> ids;
  for (size_t i = 0; i < size(); ++i)
    if (!ids.insert(utterances_[i].id).second)
      throw UserError(fmt::format("utterance '{}' of {} also stands in another manifest",
                                  utterances_[i].id, manifests[origins_[i].manifest].string()),
                      "give every manifest once, and every utterance an \"id\" of its own");
  if (!skipped_.empty())
    spdlog::warn("{} of {} utterances are skipped, the first: {} ({})", skipped_.size(),
                 size() + skipped_.size(), skipped_.front().id, skipped_.front().reason);
}

Dataset::~Dataset() = default;

void Dataset::read(size_t manifest, const fs::path& path, const Tokenizer& tokenizer,
                   const fs::path& cache_directory) {
  std::vector<Utterance> listed = read_manifest(path);
  const std::string name = path.filename().string();
  std::vector<AudioCheck> checks;
  if (cache_directory.empty()) {
    // Every file is decoded once, so that the same utterances are usable with a cache and without.
    checks = check_audio(listed, feature_config_.sample_rate, shortest_samples(fbank_, speeds_),
                         "checking " + name);
  } else {
    stores_.emplace_back(listed, feature_config_, speeds_, cache_directory, "features of " + name);
    checks = checks_of(stores_.back(), listed.size());
  }
  std::vector<Skipped> skipped;
  for (size_t i = 0; i < listed.size(); ++i) {
    std::string reason = checks[i].reason;
    listed[i].text = normalise_text(listed[i].text, text_);
    if (reason.empty()) reason = check_text(listed[i].text, tokenizer);
    if (!reason.empty()) {
      skipped.push_back({listed[i].id, std::move(reason)});
      continue;
    }
    tokens_.push_back(tokenizer.encode(listed[i].text));
    origins_.push_back({manifest, i});
    utterances_.push_back(std::move(listed[i]));
    utterances_.back().seconds = checks[i].seconds;
  }
  check_skipped_share(path, skipped, listed.size());
  skipped_.insert(skipped_.end(), skipped.begin(), skipped.end());
}

double Dataset::total_seconds() const {
  double seconds = 0;
  for (const Utterance& utterance : utterances_) seconds += utterance.seconds;
  return seconds;
}

at::Tensor Dataset::features(size_t i, double speed) const {
  const Origin origin = origins_[i];
  if (!stores_.empty() && stores_[origin.manifest].contains(speed))
    return stores_[origin.manifest].features(origin.line, speed);
  const Audio audio =
      read_audio(utterances_[i].audio, feature_config_.sample_rate, utterances_[i].part);
  return speech_features(fbank_, audio.samples, speed);
}

std::pair<at::Tensor, at::Tensor> Dataset::global_statistics() const {
  const auto columns = static_cast<size_t>(feature_config_.columns());
  std::vector<double> sums(columns), squares(columns);
  int64_t frames = 0;
  for (size_t i = 0; i < size(); ++i) {
    const at::Tensor rows = features(i, 1).contiguous();
    const float* value = rows.const_data_ptr<float>();
    for (int64_t t = 0; t < rows.size(0); ++t, ++frames)
      for (size_t c = 0; c < columns; ++c, ++value) {
        sums[c] += *value;
        squares[c] += double(*value) * *value;
      }
  }
  const at::Tensor mean = at::tensor(sums) / double(std::max<int64_t>(1, frames));
  const at::Tensor variance =
      at::tensor(squares) / double(std::max<int64_t>(1, frames)) - mean.square();
  // A bank that never changes (silent data) must not divide by zero.
  return {mean.to(at::kFloat), variance.clamp_min(1e-10).sqrt().to(at::kFloat)};
}

Batch collate(const Dataset& dataset, const std::vector<int64_t>& indices,
              const std::vector<at::Tensor>& features) {
  const auto count = static_cast<int64_t>(indices.size());
  int64_t longest = 0, most_tokens = 0;
  for (size_t b = 0; b < indices.size(); ++b) {
    longest = std::max(longest, features[b].size(0));
    most_tokens = std::max(most_tokens, int64_t(dataset.tokens(size_t(indices[b])).size()));
  }
  const FeatureConfig& config = dataset.feature_config();
  Batch batch;
  batch.features = at::empty({count, longest, config.columns()}, at::kFloat);
  batch.feature_lengths = at::empty({count}, at::kLong);
  batch.tokens = at::zeros({count, most_tokens}, at::kLong);
  batch.token_lengths = at::empty({count}, at::kLong);
  batch.indices = indices;
  for (int64_t b = 0; b < count; ++b) {
    const auto index = static_cast<size_t>(indices[size_t(b)]);
    const at::Tensor& rows = features[size_t(b)];
    const std::vector<int64_t>& tokens = dataset.tokens(index);
    const int64_t frames = rows.size(0);
    batch.features[b].narrow(0, 0, frames).copy_(rows);
    batch.features[b].narrow(0, frames, longest - frames).fill_(feature_floor);
    batch.feature_lengths.data_ptr<int64_t>()[b] = frames;
    std::copy(tokens.begin(), tokens.end(), batch.tokens.data_ptr<int64_t>() + b * most_tokens);
    batch.token_lengths.data_ptr<int64_t>()[b] = static_cast<int64_t>(tokens.size());
    batch.ids.push_back(dataset.utterance(index).id);
    batch.audio_seconds += double(frames) * config.frame_shift_ms / 1000;
  }
  return batch;
}

std::vector<std::vector<int64_t>> evaluation_batches(const Dataset& dataset, double batch_seconds) {
  std::vector<int64_t> order(dataset.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return dataset.utterance(size_t(a)).seconds > dataset.utterance(size_t(b)).seconds;
  });
  std::vector<std::vector<int64_t>> batches;
  double longest = 0;
  for (const int64_t i : order) {
    if (batches.empty() || longest * double(batches.back().size() + 1) > batch_seconds) {
      batches.emplace_back();
      longest = dataset.utterance(size_t(i)).seconds;
    }
    batches.back().push_back(i);
  }
  return batches;
}

}  // namespace scion
