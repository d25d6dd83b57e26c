#include "scion/data/loader.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "scion/audio/augmentation/sample_augmentation.h"
#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/core/random.h"
#include "scion/core/threads.h"

namespace scion {
namespace {

struct Timed {
  int64_t index;
  double seconds;  // at the speed drawn for this epoch
};

double drawn_speed(const Dataset& dataset, int64_t index, uint64_t seed, int64_t epoch) {
  return draw_speed(dataset.speeds(), seed, epoch, dataset.id_hash(size_t(index)));
}

/// The utterances of an epoch, shortest first.
std::vector<Timed> sorted_by_length(const Dataset& dataset, const LoaderConfig& config,
                                    uint64_t seed, int64_t epoch) {
  std::vector<Timed> utterances;
  for (size_t i = 0; i < dataset.size(); ++i) {
    const double seconds = dataset.seconds(i);
    if (seconds < config.shortest_seconds || seconds > config.longest_seconds) continue;
    const auto index = static_cast<int64_t>(i);
    utterances.push_back({index, seconds / drawn_speed(dataset, index, seed, epoch)});
  }
  std::sort(utterances.begin(), utterances.end(), [](const Timed& a, const Timed& b) {
    return a.seconds != b.seconds ? a.seconds < b.seconds : a.index < b.index;
  });
  return utterances;
}

/// Cuts a sorted list into `count` pieces of equal total duration.
std::vector<std::vector<Timed>> make_buckets(const std::vector<Timed>& sorted, int64_t count) {
  double total = 0, passed = 0;
  for (const Timed& one : sorted) total += one.seconds;
  std::vector<std::vector<Timed>> buckets(static_cast<size_t>(std::max<int64_t>(1, count)));
  for (const Timed& one : sorted) {
    // The middle of the utterance decides where it belongs.
    const auto bucket = static_cast<size_t>((passed + one.seconds / 2) / total * double(count));
    buckets[std::min(bucket, buckets.size() - 1)].push_back(one);
    passed += one.seconds;
  }
  return buckets;
}

void fill_batches(const std::vector<Timed>& bucket, double batch_seconds,
                  std::vector<std::vector<int64_t>>& batches) {
  double seconds = batch_seconds + 1;  // the first utterance opens a batch
  for (const Timed& one : bucket) {
    if (seconds + one.seconds > batch_seconds) {
      batches.emplace_back();
      seconds = 0;
    }
    batches.back().push_back(one.index);
    seconds += one.seconds;
  }
}

}  // namespace

void LoaderConfig::declare(Options& options) {
  options.add("batch_seconds", batch_seconds, "most audio in a batch").range(0.1, 1e6).unit("s");
  options.add("buckets", buckets, "groups of utterances of similar length; a batch is from one")
      .range(1, 1000);
  options.add("shortest_seconds", shortest_seconds, "shorter utterances are not trained on")
      .range(0, 1e6)
      .unit("s");
  options.add("longest_seconds", longest_seconds, "longer utterances are not trained on")
      .range(0, 1e6)
      .unit("s");
  options.add("threads", threads, "threads that prepare batches").range(1, 256).adjustable();
  options.add("prefetch", prefetch, "batches held ready").range(1, 10000).adjustable();
}

std::vector<std::vector<int64_t>> epoch_batches(const Dataset& dataset, const LoaderConfig& config,
                                                uint64_t seed, int64_t epoch) {
  const auto number = static_cast<uint64_t>(epoch);
  auto buckets = make_buckets(sorted_by_length(dataset, config, seed, epoch), config.buckets);
  std::vector<std::vector<int64_t>> batches;
  for (size_t i = 0; i < buckets.size(); ++i) {
    Random(seed, RandomStream::order, number, i + 1).shuffle(buckets[i]);
    fill_batches(buckets[i], config.batch_seconds, batches);
  }
  Random(seed, RandomStream::order, number, 0).shuffle(batches);
  return batches;
}

struct BatchLoader::State {
  using Batches = std::vector<std::vector<int64_t>>;
  struct Ticket {
    int64_t number = 0, epoch = 0, index = 0;
    std::shared_ptr<const Batches> batches;
  };
  struct Outcome {
    Item item;
    std::exception_ptr error;
  };

  const Dataset& dataset;
  LoaderConfig config;
  AugmentConfig augment;
  SampleAugmentation sample_augmentation;
  at::Tensor mask_fill;
  uint64_t seed;
  at::Device device;

  std::mutex mutex;
  std::condition_variable ready, room;
  bool stopping = false;
  int64_t consumed = 0;             // tickets given to next()
  Ticket upcoming;                  // the next to be worked on
  std::map<int64_t, Outcome> done;  // by ticket number
  std::vector<std::jthread> threads;

  State(const Dataset& dataset, const LoaderConfig& config, const AugmentConfig& augment,
        const at::Tensor& mask_fill, uint64_t seed, at::Device device)
      : dataset(dataset),
        config(config),
        augment(augment),
        sample_augmentation(augment, dataset.feature_config().sample_rate, seed),
        mask_fill(mask_fill),
        seed(seed),
        device(device) {}

  std::shared_ptr<const Batches> plan(int64_t epoch) const {
    return std::make_shared<const Batches>(epoch_batches(dataset, config, seed, epoch));
  }

  /// The next piece of work, or false when the loader stops.
  bool take(Ticket& ticket) {
    std::unique_lock lock(mutex);
    const auto held = std::max(config.prefetch, config.threads);
    room.wait(lock, [&] { return stopping || upcoming.number < consumed + held; });
    if (stopping) return false;
    while (upcoming.index >= int64_t(upcoming.batches->size())) {
      upcoming.index -= int64_t(upcoming.batches->size());
      upcoming.batches = plan(++upcoming.epoch);
    }
    ticket = upcoming;
    ++upcoming.number;
    ++upcoming.index;
    return true;
  }

  /// None where the utterance is left as it is: its features may be stored ones.
  SampleChange change(int64_t index, int64_t epoch) const {
    const uint64_t utterance = dataset.id_hash(size_t(index));
    if (!sample_augmentation.changes(epoch, utterance)) return {};
    return [=, this](std::vector<float>& samples) {
      sample_augmentation.apply(samples, epoch, utterance);
    };
  }

  void augment_features(Item& item, size_t b) const {
    const auto epoch = static_cast<uint64_t>(item.epoch);
    const uint64_t utterance = dataset.id_hash(size_t(item.batch.indices[b]));
    const auto row = static_cast<int64_t>(b);
    at::Tensor rows = item.batch.features[row].narrow(
        0, 0, item.batch.feature_lengths.const_data_ptr<int64_t>()[row]);
    Random warp(seed, RandomStream::time_warp, epoch, utterance);
    if (augment.time_warp > 0) rows.copy_(time_warp(augment, warp, rows));
    Random masks(seed, RandomStream::spec_augment, epoch, utterance);
    spec_augment(augment, masks, rows, mask_fill);
  }

  Item make(const Ticket& ticket) const {
    std::vector<int64_t> indices;
    std::vector<at::Tensor> features;
    std::vector<Skipped> skipped;
    for (const int64_t i : (*ticket.batches)[size_t(ticket.index)]) {
      Example example = dataset.example(size_t(i), drawn_speed(dataset, i, seed, ticket.epoch),
                                        change(i, ticket.epoch));
      if (!example.reason.empty()) {
        skipped.push_back({dataset.utterance(size_t(i)).id, std::move(example.reason)});
        continue;
      }
      indices.push_back(i);
      features.push_back(std::move(example.features));
    }
    Item item{collate(dataset, indices, features), ticket.epoch, ticket.index,
              int64_t(ticket.batches->size()), std::move(skipped)};
    for (size_t b = 0; b < indices.size(); ++b) augment_features(item, b);
    if (!indices.empty()) item.batch.features = staged(item.batch.features, device);
    return item;
  }

  void work() {
    use_one_thread_here();
    for (Ticket ticket; take(ticket);) {
      Outcome outcome;
      try {
        outcome.item = make(ticket);
      } catch (...) {
        outcome.error = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      done.emplace(ticket.number, std::move(outcome));
      ready.notify_all();
    }
  }
};

BatchLoader::BatchLoader(const Dataset& dataset, const LoaderConfig& config,
                         const AugmentConfig& augment, const FeatureStatistics& statistics,
                         uint64_t seed, int64_t first_epoch, int64_t first_batch, at::Device device)
    : state_(std::make_unique<State>(dataset, config, augment, statistics.mean, seed, device)) {
  state_->upcoming = {0, first_epoch, first_batch, state_->plan(first_epoch)};
  if (state_->upcoming.batches->empty())
    throw UserError(fmt::format("no utterance lasts from {} s to {} s", config.shortest_seconds,
                                config.longest_seconds),
                    "widen shortest_seconds and longest_seconds");
  for (int64_t i = 0; i < std::max<int64_t>(1, config.threads); ++i)
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->room.notify_all();
  state_->threads.clear();  // joins
}

BatchLoader::Item BatchLoader::next() {
  std::unique_lock lock(state_->mutex);
  const int64_t number = state_->consumed;
  state_->ready.wait(lock, [&] { return state_->done.contains(number); });
  auto& outcome = state_->done.at(number);
  if (outcome.error) std::rethrow_exception(outcome.error);  // again, should next() be called again
  Item item = std::move(outcome.item);
  state_->done.erase(number);
  ++state_->consumed;
  state_->room.notify_all();
  return item;
}

}  // namespace scion
