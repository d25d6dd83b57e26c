#include "scion/data/loader.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "scion/audio/augmentation/sample_augmentation.h"
#include "scion/core/error.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

const std::vector<double> speeds = {0.9, 1.0, 1.1};

class Loader : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    corpus_ = new SmallCorpus(40);
    dataset_ = new Dataset({corpus_->manifest()}, {}, small_tokenizer(), corpus_->cache(), speeds);
  }
  static void TearDownTestSuite() {
    delete dataset_;
    delete corpus_;
  }

  static LoaderConfig small_batches(int64_t threads = 1) {
    LoaderConfig config;
    config.batch_seconds = 3;
    config.buckets = 3;
    config.threads = threads;
    config.prefetch = 3;
    return config;
  }

  static BatchLoader start(const LoaderConfig& config, int64_t epoch = 0, int64_t batch = 0) {
    return BatchLoader(*dataset_, config, {}, {at::full({80}, -5.f), {}}, 7, epoch, batch);
  }

  static double drawn_seconds(int64_t index, int64_t epoch) {
    const Utterance& utterance = dataset_->utterance(size_t(index));
    return utterance.seconds /
           draw_speed(AugmentConfig().speeds, 7, epoch, stable_hash(utterance.id));
  }

  static SmallCorpus* corpus_;
  static Dataset* dataset_;
};
SmallCorpus* Loader::corpus_ = nullptr;
Dataset* Loader::dataset_ = nullptr;

TEST_F(Loader, EveryUtteranceOnceAnEpochWithinTheLimit) {
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    std::set<int64_t> seen;
    for (const auto& batch : epoch_batches(*dataset_, small_batches(), 7, epoch)) {
      double seconds = 0;
      for (const int64_t i : batch) {
        EXPECT_TRUE(seen.insert(i).second);
        seconds += drawn_seconds(i, epoch);
      }
      EXPECT_LE(seconds, 3);
      EXPECT_FALSE(batch.empty());
    }
    EXPECT_EQ(seen.size(), 40u);
  }
}

TEST_F(Loader, BatchesComeFromBucketsOfEqualDuration) {
  // Sorted by length and cut into three, the ranges of batches may touch but not overlap.
  const LoaderConfig config = small_batches();
  std::vector<double> lengths;
  double total = 0;
  for (int64_t i = 0; i < 40; ++i) {
    lengths.push_back(drawn_seconds(i, 0));
    total += lengths.back();
  }
  std::sort(lengths.begin(), lengths.end());
  std::vector<double> borders;
  double passed = 0;
  for (const double seconds : lengths) {
    passed += seconds;
    if (passed >= total / 3 * double(borders.size() + 1) && borders.size() < 2)
      borders.push_back(seconds);
  }
  for (const auto& batch : epoch_batches(*dataset_, config, 7, 0)) {
    double shortest = 100, longest = 0;
    for (const int64_t i : batch) {
      shortest = std::min(shortest, drawn_seconds(i, 0));
      longest = std::max(longest, drawn_seconds(i, 0));
    }
    for (const double border : borders)
      EXPECT_FALSE(shortest < border - 0.06 && longest > border + 0.06);
  }
}

TEST_F(Loader, EpochsAndSeedsDifferArgumentsDecide) {
  const auto config = small_batches();
  EXPECT_EQ(epoch_batches(*dataset_, config, 7, 2), epoch_batches(*dataset_, config, 7, 2));
  EXPECT_NE(epoch_batches(*dataset_, config, 7, 2), epoch_batches(*dataset_, config, 7, 3));
  EXPECT_NE(epoch_batches(*dataset_, config, 7, 2), epoch_batches(*dataset_, config, 8, 2));
  EXPECT_EQ(epoch_batches(*dataset_, config, 7, 2),
            epoch_batches(*dataset_, small_batches(5), 7, 2));
}

TEST_F(Loader, AnUtteranceLongerThanABatchIsABatch) {
  LoaderConfig config = small_batches();
  config.batch_seconds = 0.5;
  for (const auto& batch : epoch_batches(*dataset_, config, 7, 0))
    if (batch.size() > 1) {
      double seconds = 0;
      for (const int64_t i : batch) seconds += drawn_seconds(i, 0);
      EXPECT_LE(seconds, 0.5);
    }
}

TEST_F(Loader, TooShortAndTooLongUtterancesAreLeftOut) {
  LoaderConfig config = small_batches();
  config.shortest_seconds = 0.55;
  config.longest_seconds = 1.05;
  std::set<int64_t> seen;
  for (const auto& batch : epoch_batches(*dataset_, config, 7, 0))
    seen.insert(batch.begin(), batch.end());
  EXPECT_EQ(seen.size(), 20u);  // 0.6, 0.7, 0.8, 0.9, 1.0 of ten lengths
  config.shortest_seconds = 20;
  EXPECT_TRUE(epoch_batches(*dataset_, config, 7, 0).empty());
  EXPECT_THROW(start(config), UserError);
}

TEST_F(Loader, TheSameBatchesForAnyNumberOfThreads) {
  BatchLoader one = start(small_batches(1)), four = start(small_batches(4));
  for (int i = 0; i < 40; ++i) {
    const BatchLoader::Item a = one.next(), b = four.next();
    EXPECT_EQ(a.epoch, b.epoch);
    EXPECT_EQ(a.index, b.index);
    EXPECT_EQ(a.epoch_size, b.epoch_size);
    EXPECT_EQ(a.batch.ids, b.batch.ids);
    EXPECT_TRUE(a.batch.features.equal(b.batch.features));
    EXPECT_TRUE(a.batch.tokens.equal(b.batch.tokens));
  }
}

TEST_F(Loader, FollowsTheEpochsAndResumesAnywhere) {
  BatchLoader loader = start(small_batches(2));
  std::vector<BatchLoader::Item> items;
  for (int i = 0; i < 35; ++i) items.push_back(loader.next());
  for (size_t i = 0; i < items.size(); ++i) {
    const auto batches = epoch_batches(*dataset_, small_batches(), 7, items[i].epoch);
    EXPECT_EQ(items[i].epoch_size, int64_t(batches.size()));
    EXPECT_EQ(items[i].batch.indices, batches[size_t(items[i].index)]);
    if (i % 7 != 3) continue;
    BatchLoader resumed = start(small_batches(2), items[i].epoch, items[i].index);
    for (size_t j = i; j < std::min(i + 4, items.size()); ++j) {
      const BatchLoader::Item item = resumed.next();
      EXPECT_EQ(item.epoch, items[j].epoch);
      EXPECT_TRUE(item.batch.features.equal(items[j].batch.features));
    }
  }
  // After an epoch's last batch comes the next epoch's first.
  EXPECT_EQ(start(small_batches(), 0, items[0].epoch_size).next().epoch, 1);
}

TEST_F(Loader, MasksAndSpeedsAreDrawnPerUtteranceAndEpoch) {
  BatchLoader loader = start(small_batches());
  std::map<std::string, std::set<int64_t>> lengths;
  double masked = 0, frames = 0;
  for (BatchLoader::Item item = loader.next(); item.epoch < 6; item = loader.next())
    for (size_t b = 0; b < item.batch.ids.size(); ++b) {
      const int64_t length = item.batch.feature_lengths[int64_t(b)].item<int64_t>();
      lengths[item.batch.ids[b]].insert(length);
      const at::Tensor rows = item.batch.features[int64_t(b)];
      masked += rows.narrow(0, 0, length).eq(-5).all(1).sum().item<double>();
      frames += double(length);
      // Padding is never masked.
      EXPECT_TRUE(
          rows.narrow(0, length, rows.size(0) - length).eq(feature_floor).all().item<bool>());
    }
  size_t several = 0;
  for (const auto& [id, set] : lengths) several += set.size() > 1;
  EXPECT_GT(several, 35u);
  EXPECT_NEAR(masked / frames, 0.05, 0.02);  // a mask of 0 to 10 %
}

TEST_F(Loader, StopsAtAnyMoment) {
  for (int count = 0; count < 12; ++count) {
    BatchLoader loader = start(small_batches(1 + count % 3));
    for (int i = 0; i < count; ++i) loader.next();
  }
}

class AugmentedLoader : public Loader {
 protected:
  AugmentedLoader() {
    augment_.noise = *corpus_ / "noise";
    std::filesystem::create_directories(augment_.noise);
    write_sound(std::filesystem::path(augment_.noise) / "one.wav", voice(0.7, 91));
    augment_.noise_share = 0.5;
    augment_.reverberation_share = 0.4;
    augment_.rooms = 4;
    augment_.volume_share = 0.4;
    augment_.time_warp = 5;
  }

  BatchLoader start_augmented(int64_t threads, int64_t epoch = 0, int64_t batch = 0) const {
    return BatchLoader(*dataset_, small_batches(threads), augment_, {at::full({80}, -5.f), {}}, 7,
                       epoch, batch);
  }

  AugmentConfig augment_;
};

TEST_F(AugmentedLoader, TheSameBatchesForAnyNumberOfThreadsAndFromAnyPlace) {
  BatchLoader one = start_augmented(1), four = start_augmented(4);
  for (int i = 0; i < 30; ++i) {
    const BatchLoader::Item a = one.next(), b = four.next();
    EXPECT_EQ(a.batch.ids, b.batch.ids);
    EXPECT_TRUE(a.batch.features.equal(b.batch.features));
    if (i % 9 == 4) {
      BatchLoader resumed = start_augmented(2, a.epoch, a.index);
      EXPECT_TRUE(resumed.next().batch.features.equal(a.batch.features));
    }
  }
}

TEST_F(AugmentedLoader, LeavesOrderLengthsAndTheRestOfTheUtterancesAsTheyWere) {
  augment_.time_warp = 0;
  const SampleAugmentation augmentation(augment_, 16000, 7);
  BatchLoader plain = start(small_batches()), augmented = start_augmented(1);
  int changed = 0, all = 0;
  for (int i = 0; i < 20; ++i) {
    const BatchLoader::Item a = plain.next(), b = augmented.next();
    ASSERT_EQ(a.batch.ids, b.batch.ids);
    ASSERT_TRUE(a.batch.feature_lengths.equal(b.batch.feature_lengths));
    for (size_t row = 0; row < a.batch.ids.size(); ++row, ++all) {
      const auto r = static_cast<int64_t>(row);
      const bool expected = augmentation.changes(a.epoch, stable_hash(a.batch.ids[row]));
      EXPECT_EQ(!a.batch.features[r].equal(b.batch.features[r]), expected) << a.batch.ids[row];
      changed += expected;
    }
  }
  EXPECT_GT(changed, all / 2);
  EXPECT_LT(changed, all);
}

TEST_F(AugmentedLoader, TimeWarpKeepsThePaddingAndTheMasks) {
  AugmentConfig only_warp;
  only_warp.time_warp = 5;
  BatchLoader plain = start(small_batches());
  BatchLoader warped(*dataset_, small_batches(), only_warp, {at::full({80}, -5.f), {}}, 7, 0, 0);
  int changed = 0;
  for (int i = 0; i < 12; ++i) {
    const BatchLoader::Item a = plain.next(), b = warped.next();
    EXPECT_TRUE(a.batch.features.eq(-5).equal(b.batch.features.eq(-5)));
    EXPECT_TRUE(
        a.batch.features.eq(feature_floor).all(2).equal(b.batch.features.eq(feature_floor).all(2)));
    changed += !a.batch.features.equal(b.batch.features);
  }
  EXPECT_GE(changed, 10);
}

TEST(LoaderErrors, ReachTheCaller) {
  SmallCorpus corpus(8);
  const Dataset dataset({corpus.manifest()}, {}, small_tokenizer(), "", {1.0});
  for (const Utterance& utterance : corpus.utterances()) std::filesystem::remove(utterance.audio);
  AugmentConfig augment;
  augment.speeds = {1.0};
  for (const int64_t threads : {1, 3}) {
    LoaderConfig config;
    config.threads = threads;
    BatchLoader loader(dataset, config, augment, {at::zeros({80}), {}}, 1, 0, 0);
    EXPECT_THROW(loader.next(), UserError);
    EXPECT_THROW(loader.next(), UserError);
  }
}

}  // namespace
}  // namespace scion
