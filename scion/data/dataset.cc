#include "scion/data/dataset.h"

#include <unordered_set>

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/core/progress.h"
#include "scion/data/feature_store.h"
#include "scion/data/in_order.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr double largest_skipped_share = 0.05;

/// What reading an utterance's audio showed.
struct AudioCheck {
  double seconds = 0;
  std::string reason;  ///< why it cannot be used, "" when it can
};

AudioCheck check_audio(const Utterance& utterance, const Fbank& fbank, int64_t sample_rate,
                       const std::vector<double>& speeds) {
  AudioCheck check;
  try {
    const Audio audio = read_audio(utterance.audio, sample_rate);
    check.seconds = audio.seconds();
    const double fastest = speeds.empty() ? 1 : *std::max_element(speeds.begin(), speeds.end());
    if (fbank.frame_count(std::llround(double(audio.samples.size()) / fastest)) == 0)
      check.reason = fmt::format("too short for a frame: {} samples", audio.samples.size());
  } catch (const UserError& error) {
    check.reason = error.what();
  }
  return check;
}

/// Without a cache every file is read once, so that the same utterances are usable with it and
/// without it.
std::vector<AudioCheck> check_all(const std::vector<Utterance>& utterances, const Fbank& fbank,
                                  int64_t sample_rate, const std::vector<double>& speeds,
                                  const std::string& title) {
  std::vector<AudioCheck> checks(utterances.size());
  Progress progress(title, static_cast<int64_t>(utterances.size()), "utterances");
  work_in_order<AudioCheck>(
      utterances.size(),
      [&](size_t i) { return check_audio(utterances[i], fbank, sample_rate, speeds); },
      [&](size_t i, AudioCheck check) {
        checks[i] = std::move(check);
        progress.update(static_cast<int64_t>(i) + 1);
      });
  return checks;
}

std::vector<AudioCheck> gather_checks(const std::vector<FeatureStore>& stores, size_t count) {
  std::vector<AudioCheck> checks(count);
  for (const FeatureStore& store : stores)
    for (size_t i = 0; i < count; ++i) {
      checks[i].seconds = store.seconds(i);
      if (checks[i].reason.empty()) checks[i].reason = store.reason(i);
    }
  return checks;
}

std::string check_text(const std::string& text, const Tokenizer& tokenizer) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "no text";
  const std::vector<std::string> uncovered = tokenizer.uncovered(text);
  if (!uncovered.empty())
    return fmt::format("characters outside the alphabet: {}", fmt::join(uncovered, " "));
  return tokenizer.encode(text).empty() ? "no text" : "";
}

void check_share(const fs::path& manifest, const std::vector<Skipped>& skipped, size_t total) {
  if (double(skipped.size()) <= largest_skipped_share * double(total)) return;
  std::string examples;
  for (size_t i = 0; i < std::min<size_t>(3, skipped.size()); ++i)
    examples += fmt::format("{}{} ({})", i ? "; " : "", skipped[i].id, skipped[i].reason);
  throw UserError(fmt::format("{} of {} utterances of {} cannot be used: {}{}", skipped.size(),
                              total, manifest.string(), examples,
                              skipped.size() > 3 ? "; …" : ""),
                  "mend or leave out these utterances: at most 5 % may be skipped");
}

}  // namespace

Dataset::Dataset(const std::vector<fs::path>& manifests, const FeatureConfig& features,
                 const Tokenizer& tokenizer, const fs::path& cache_directory,
                 const std::vector<double>& speeds)
    : feature_config_(features), fbank_(features), speeds_(speeds) {
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
  auto& stores = stores_.emplace_back();
  if (!cache_directory.empty())
    for (const double speed : speeds_)
      stores.emplace_back(
          listed, feature_config_, speed, cache_directory,
          fmt::format("features of {}, speed {}", path.filename().string(), speed));
  const std::vector<AudioCheck> checks =
      stores.empty() ? check_all(listed, fbank_, feature_config_.sample_rate, speeds_,
                                 "checking " + path.filename().string())
                     : gather_checks(stores, listed.size());
  std::vector<Skipped> skipped;
  for (size_t i = 0; i < listed.size(); ++i) {
    std::string reason = checks[i].reason;
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
  check_share(path, skipped, listed.size());
  skipped_.insert(skipped_.end(), skipped.begin(), skipped.end());
}

const FeatureStore* Dataset::store(size_t manifest, double speed) const {
  for (const FeatureStore& store : stores_[manifest])
    if (store.speed() == speed) return &store;
  return nullptr;
}

double Dataset::total_seconds() const {
  double seconds = 0;
  for (const Utterance& utterance : utterances_) seconds += utterance.seconds;
  return seconds;
}

at::Tensor Dataset::features(size_t i, double speed) const {
  const Origin origin = origins_[i];
  if (const FeatureStore* found = store(origin.manifest, speed))
    return found->features(origin.line);
  const Audio audio = read_audio(utterances_[i].audio, feature_config_.sample_rate);
  return speech_features(fbank_, audio.samples, speed);
}

std::pair<at::Tensor, at::Tensor> Dataset::global_statistics() const {
  const auto options = at::TensorOptions(at::kDouble);
  at::Tensor sum = at::zeros({feature_config_.columns()}, options);
  at::Tensor squares = at::zeros_like(sum);
  int64_t frames = 0;
  for (size_t i = 0; i < size(); ++i) {
    const at::Tensor rows = features(i, 1).to(at::kDouble);
    sum += rows.sum(0);
    squares += rows.square().sum(0);
    frames += rows.size(0);
  }
  const at::Tensor mean = sum / double(std::max<int64_t>(1, frames));
  const at::Tensor variance = squares / double(std::max<int64_t>(1, frames)) - mean.square();
  // A bank that never changes (silent data) must not divide by zero.
  return {mean.to(at::kFloat), variance.clamp_min(1e-10).sqrt().to(at::kFloat)};
}

void write_skipped(const fs::path& path, const std::vector<Skipped>& skipped) {
  std::string text;
  for (const Skipped& one : skipped) {
    const nlohmann::ordered_json line = {{"id", one.id}, {"reason", one.reason}};
    text += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  write_file(path, text);
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
