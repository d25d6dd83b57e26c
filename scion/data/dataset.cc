#include "scion/data/dataset.h"

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/log.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::vector<AudioCheck> checks_of(const FeatureStore& store, size_t count) {
  std::vector<AudioCheck> checks;
  for (size_t i = 0; i < count; ++i) checks.push_back({store.seconds(i), store.reason(i)});
  return checks;
}

constexpr size_t most_sampled = 2000;  // utterances of trusted manifests, for statistics

std::string names_of(const std::vector<ManifestIndex>& manifests) {
  std::vector<std::string> names;
  for (const ManifestIndex& manifest : manifests) names.push_back(manifest.path().string());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Dataset::Dataset(const std::vector<fs::path>& manifests, const FeatureConfig& features,
                 const Tokenizer& tokenizer, const fs::path& cache_directory,
                 const std::vector<double>& speeds, const NormalisationConfig& text,
                 DataCheck check, DataPurpose purpose, double skip_share)
    : feature_config_(features),
      text_(text),
      tokenizer_(tokenizer.serialised()),
      fbank_(features),
      speeds_(speeds),
      check_(check),
      purpose_(purpose),
      skip_share_(skip_share),
      shortest_samples_(shortest_samples(fbank_, speeds)) {
  if (check == DataCheck::trust && !cache_directory.empty())
    throw UserError("data.cache is set and data.check is trust",
                    "a cache decodes every file: leave data.cache empty, or set data.check to "
                    "decode");
  // A refusal lists what cannot be used of all manifests.
  std::optional<TooManySkipped> refusal;
  for (size_t i = 0; i < manifests.size(); ++i) {
    manifests_.emplace_back(manifests[i]);
    try {
      read(i, cache_directory);
    } catch (const TooManySkipped& one) {
      if (!refusal) refusal = one;
    }
  }
  if (refusal) throw TooManySkipped(refusal->what(), refusal->hint(), skipped_);
  if (manifests.size() > 1) check_ids();
  check_texts();
  if (!skipped_.empty())
    log_warning("{} of {} utterances are skipped, the first: {} ({})", skipped_.size(),
                size() + skipped_.size(), skipped_.front().id, skipped_.front().reason);
}

Dataset::~Dataset() = default;

std::vector<AudioCheck> Dataset::check(size_t manifest, const fs::path& cache_directory) {
  const ManifestIndex& index = manifests_[manifest];
  const std::string name = index.path().filename().string();
  std::vector<Utterance> listed;
  listed.reserve(index.size());
  for (size_t i = 0; i < index.size(); ++i) listed.push_back(index.utterance(i));
  // Without a cache every file is decoded once, so that the same utterances are usable with it.
  if (cache_directory.empty())
    return check_audio(listed, feature_config_.sample_rate, shortest_samples_, "checking " + name);
  stores_.emplace_back(listed, feature_config_, speeds_, cache_directory, "features of " + name);
  return checks_of(stores_.back(), listed.size());
}

void Dataset::read(size_t manifest, const fs::path& cache_directory) {
  const ManifestIndex& index = manifests_[manifest];
  const auto number = static_cast<uint32_t>(manifest);
  entries_.reserve(entries_.size() + index.size());
  if (check_ == DataCheck::trust) {
    for (size_t i = 0; i < index.size(); ++i)
      entries_.push_back({number, static_cast<uint32_t>(i), index.seconds(i)});
    return;
  }
  std::vector<AudioCheck> checks = check(manifest, cache_directory);
  if (purpose_ == DataPurpose::evaluation) require_readable(index, checks);
  std::vector<Skipped> skipped;
  for (size_t i = 0; i < index.size(); ++i) {
    const Utterance utterance = index.utterance(i);
    std::string reason = std::move(checks[i].reason);
    if (reason.empty() && purpose_ == DataPurpose::training)
      reason = text_fault(normalise_text(utterance.text, text_), tokenizer_);
    if (reason.empty())
      entries_.push_back({number, static_cast<uint32_t>(i), checks[i].seconds});
    else
      skipped.push_back({utterance.id, std::move(reason)});
  }
  skipped_.insert(skipped_.end(), skipped.begin(), skipped.end());
  check_skipped_share(index.path(), skipped, index.size(), skip_share_);
}

void Dataset::require_readable(const ManifestIndex& index, std::vector<AudioCheck>& checks) const {
  constexpr size_t most_named = 3;
  std::vector<std::string> examples;
  size_t unreadable = 0;
  for (size_t i = 0; i < checks.size(); ++i) {
    std::string& reason = checks[i].reason;
    if (is_too_short(reason)) reason.clear();
    if (reason.empty() || ++unreadable > most_named) continue;
    examples.push_back(fmt::format("{} ({})", index.utterance(i).id, reason));
  }
  if (unreadable > 0)
    throw UserError(
        fmt::format("{} of {} utterances of {} cannot be read: {}{}", unreadable, checks.size(),
                    index.path().string(), fmt::join(examples, "; "),
                    unreadable > most_named ? "; …" : ""),
        "an error rate counts every utterance: restore these files, or remove their lines from "
        "the manifest");
}

void Dataset::check_texts() {
  const size_t step = check_ == DataCheck::trust ? (size() + most_sampled - 1) / most_sampled : 1;
  for (size_t i = 0; i < size(); i += step) spelling_.add(utterance(i).text);
  const std::string names = names_of(manifests_);
  if (purpose_ == DataPurpose::training)
    spelling_.warn_of_training_texts(names);
  else
    spelling_.warn_of_references(names);
}

void Dataset::check_ids() const {
  std::vector<uint64_t> hashes;
  hashes.reserve(size());
  for (size_t i = 0; i < size(); ++i) hashes.push_back(id_hash(i));
  for (const auto& [first, later] : equal_hashes(hashes)) {
    const std::string id = utterance(later).id;
    if (utterance(first).id != id) continue;
    throw UserError(fmt::format("utterance '{}' of {} is also in another manifest", id,
                                manifests_[entries_[later].manifest].path().string()),
                    "name every manifest once, and give every utterance its own \"id\"");
  }
}

uint64_t Dataset::id_hash(size_t i) const {
  return manifests_[entries_[i].manifest].id_hash(entries_[i].line);
}

Utterance Dataset::utterance(size_t i) const {
  Utterance utterance = manifests_[entries_[i].manifest].utterance(entries_[i].line);
  utterance.seconds = entries_[i].seconds;
  utterance.text = normalise_text(utterance.text, text_);
  return utterance;
}

double Dataset::total_seconds() const {
  double seconds = 0;
  for (const Entry& entry : entries_) seconds += entry.seconds;
  return seconds;
}

at::Tensor Dataset::features(size_t i, double speed, const SampleChange& change) const {
  const Entry& entry = entries_[i];
  if (!change && !stores_.empty() && stores_[entry.manifest].contains(speed)) {
    const at::Tensor stored = stores_[entry.manifest].features(entry.line, speed);
    if (stored.size(0) > 0) return stored;
  }
  const Utterance wanted = utterance(i);
  Audio audio = read_audio(wanted.audio, feature_config_.sample_rate, wanted.part);
  if (audio.samples.size() < static_cast<size_t>(shortest_samples_))
    audio.samples.resize(static_cast<size_t>(shortest_samples_));
  return speech_features(fbank_, audio.samples, speed, change);
}

Example Dataset::example(size_t i, double speed, const SampleChange& change) const {
  if (check_ == DataCheck::decode) return {features(i, speed, change), ""};
  const Utterance wanted = utterance(i);
  std::string reason = text_fault(wanted.text, tokenizer_);
  if (!reason.empty()) return {{}, std::move(reason)};
  UsableAudio usable = read_usable_audio(wanted, feature_config_.sample_rate, shortest_samples_);
  reason = std::move(usable.reason);
  if (reason.empty()) reason = duration_fault(usable.audio.seconds(), wanted.seconds);
  if (!reason.empty()) return {{}, std::move(reason)};
  return {speech_features(fbank_, usable.audio.samples, speed, change), ""};
}

FeatureStatistics Dataset::global_statistics() const {
  const auto columns = static_cast<size_t>(feature_config_.columns());
  std::vector<double> sums(columns), squares(columns);
  int64_t frames = 0;
  std::string reason;
  const size_t step = check_ == DataCheck::trust ? (size() + most_sampled - 1) / most_sampled : 1;
  for (size_t i = 0; i < size(); i += step) {
    const Example one = example(i, 1);
    if (!one.reason.empty()) {
      reason = one.reason;
      continue;
    }
    const at::Tensor rows = one.features.contiguous();
    const float* value = rows.const_data_ptr<float>();
    for (int64_t t = 0; t < rows.size(0); ++t, ++frames)
      for (size_t c = 0; c < columns; ++c, ++value) {
        sums[c] += *value;
        squares[c] += double(*value) * *value;
      }
  }
  if (frames == 0 && !reason.empty())
    throw UserError("no utterance of the training data can be used; one of them: " + reason,
                    "look at the paths in the manifest: they are relative to it");
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
  Batch batch;
  std::vector<std::vector<int64_t>> tokens;
  for (size_t b = 0; b < indices.size(); ++b) {
    const Utterance utterance = dataset.utterance(static_cast<size_t>(indices[b]));
    batch.ids.push_back(utterance.id);
    tokens.push_back(dataset.tokenizer().encode(utterance.text));
    longest = std::max(longest, features[b].size(0));
    most_tokens = std::max(most_tokens, static_cast<int64_t>(tokens.back().size()));
  }
  const FeatureConfig& config = dataset.feature_config();
  batch.features = at::empty({count, longest, config.columns()}, at::kFloat);
  batch.feature_lengths = at::empty({count}, at::kLong);
  batch.tokens = at::zeros({count, most_tokens}, at::kLong);
  batch.token_lengths = at::empty({count}, at::kLong);
  batch.indices = indices;
  for (int64_t b = 0; b < count; ++b) {
    const at::Tensor& rows = features[size_t(b)];
    const std::vector<int64_t>& labels = tokens[static_cast<size_t>(b)];
    const int64_t frames = rows.size(0);
    batch.features[b].narrow(0, 0, frames).copy_(rows);
    batch.features[b].narrow(0, frames, longest - frames).fill_(feature_floor);
    batch.feature_lengths.data_ptr<int64_t>()[b] = frames;
    std::copy(labels.begin(), labels.end(), batch.tokens.data_ptr<int64_t>() + b * most_tokens);
    batch.token_lengths.data_ptr<int64_t>()[b] = static_cast<int64_t>(labels.size());
    batch.audio_seconds += double(frames) * config.frame_shift_ms / 1000;
  }
  return batch;
}

Batch read_batch(const Dataset& dataset, const std::vector<int64_t>& indices, double speed) {
  std::vector<at::Tensor> features;
  for (const int64_t i : indices)
    features.push_back(dataset.features(static_cast<size_t>(i), speed));
  return collate(dataset, indices, features);
}

std::vector<std::vector<int64_t>> evaluation_batches(const Dataset& dataset, double batch_seconds) {
  std::vector<int64_t> order(dataset.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return dataset.seconds(size_t(a)) > dataset.seconds(size_t(b));
  });
  std::vector<std::vector<int64_t>> batches;
  double longest = 0;
  for (const int64_t i : order) {
    if (batches.empty() || longest * double(batches.back().size() + 1) > batch_seconds) {
      batches.emplace_back();
      longest = dataset.seconds(size_t(i));
    }
    batches.back().push_back(i);
  }
  return batches;
}

void for_each_batch(const Dataset& dataset, double batch_seconds,
                    const std::function<void(const Batch&)>& use) {
  for (const std::vector<int64_t>& indices : evaluation_batches(dataset, batch_seconds))
    use(read_batch(dataset, indices));
}

}  // namespace scion
