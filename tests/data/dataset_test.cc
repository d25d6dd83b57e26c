#include "scion/data/dataset.h"

#include <gmock/gmock.h>

#include <future>
#include <set>

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Dataset open(const SmallCorpus& corpus, bool cached = true,
             const std::vector<double>& speeds = {1.0}) {
  return Dataset({corpus.manifest()}, {}, small_tokenizer(), cached ? corpus.cache() : "", speeds);
}

std::string complaint(const SmallCorpus& corpus, bool cached = true) {
  return error_of<UserError>([&] { open(corpus, cached); });
}

size_t stores_in(const SmallCorpus& corpus) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(corpus.cache())) count += entry.is_directory();
  return count;
}

TEST(Dataset, FeaturesAreThoseOfTheAudioWithACacheAndWithout) {
  const SmallCorpus corpus(6);
  const std::vector<double> speeds = {0.9, 1.0, 1.1};
  const Dataset cached = open(corpus, true, speeds), direct = open(corpus, false, speeds);
  ASSERT_EQ(cached.size(), 6u);
  ASSERT_EQ(direct.size(), 6u);
  EXPECT_EQ(stores_in(corpus), 1u);
  const Fbank fbank{FeatureConfig()};
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(cached.utterance(i).id, direct.utterance(i).id);
    EXPECT_NEAR(cached.utterance(i).seconds, direct.utterance(i).seconds, 1e-9);
    for (const double speed : speeds) {
      const at::Tensor a = cached.features(i, speed), b = direct.features(i, speed);
      EXPECT_TRUE(at::allclose(a, b, 0, 1e-6));
      EXPECT_NEAR(double(a.size(0)), cached.utterance(i).seconds * 100 / speed, 1);
    }
    const Audio audio = read_audio(cached.utterance(i).audio, 16000);
    EXPECT_TRUE(at::allclose(fbank.compute(at::tensor(at::ArrayRef<float>(audio.samples))),
                             cached.features(i, 1), 0, 1e-6));
  }
  // A speed that no store holds is computed.
  EXPECT_GT(cached.features(0, 0.5).size(0), cached.features(0, 0.9).size(0));
}

TEST(Dataset, FeaturesOutliveTheDataset) {
  const SmallCorpus corpus(2);
  at::Tensor features;
  {
    const Dataset dataset = open(corpus);
    features = dataset.features(1, 1);
  }
  EXPECT_TRUE(features.isfinite().all().item<bool>());
}

TEST(Dataset, AStoreIsMadeOnceAndAgainWhenAudioChanges) {
  const SmallCorpus corpus(3);
  const at::Tensor before = open(corpus).features(0, 1).clone();
  EXPECT_EQ(stores_in(corpus), 1u);
  open(corpus);
  EXPECT_EQ(stores_in(corpus), 1u);
  FeatureConfig normalised;  // normalisation is the model's: the same features
  normalised.normalisation = FeatureNormalisation::utterance;
  const Dataset same({corpus.manifest()}, normalised, small_tokenizer(), corpus.cache(), {1.0});
  EXPECT_EQ(stores_in(corpus), 1u);
  FeatureConfig narrow;
  narrow.bins = 40;
  const Dataset other({corpus.manifest()}, narrow, small_tokenizer(), corpus.cache(), {1.0});
  EXPECT_EQ(stores_in(corpus), 2u);
  write_sound(corpus / "u00.wav", voice(0.8, 77));
  const Dataset changed = open(corpus);
  EXPECT_EQ(stores_in(corpus), 3u);
  EXPECT_NE(changed.features(0, 1).size(0), before.size(0));
}

TEST(Dataset, ManyWantTheSameStoreAtOnce) {
  const SmallCorpus corpus(4);
  std::vector<std::future<double>> sums;
  for (int i = 0; i < 4; ++i)
    sums.push_back(std::async(std::launch::async,
                              [&] { return open(corpus).features(3, 1).sum().item<double>(); }));
  const double first = sums[0].get();
  for (size_t i = 1; i < sums.size(); ++i) EXPECT_EQ(sums[i].get(), first);
  EXPECT_EQ(stores_in(corpus), 1u);
}

TEST(Dataset, ADamagedStoreIsNamed) {
  const SmallCorpus corpus(3);
  open(corpus);
  for (const auto& entry : fs::recursive_directory_iterator(corpus.cache()))
    if (entry.path().filename() == "speed-1.f32") cut_file(entry.path(), 0.5);
  EXPECT_THAT(error_of<Failure>([&] { open(corpus); }), HasSubstr("remove that folder"));
}

/// 60 utterances, three of which are made unusable by `spoil`.
void expect_skipped(const std::string& reason, const std::function<void(Utterance&)>& spoil) {
  SmallCorpus corpus(60);
  for (const size_t i : {3u, 30u, 59u}) spoil(corpus.utterances()[i]);
  corpus.save();
  for (const bool cached : {true, false}) {
    const Dataset dataset = open(corpus, cached);
    EXPECT_EQ(dataset.size(), 57u) << reason;
    ASSERT_EQ(dataset.skipped().size(), 3u) << reason;
    EXPECT_EQ(dataset.skipped()[0].id, "u03");
    for (const Skipped& one : dataset.skipped()) EXPECT_THAT(one.reason, HasSubstr(reason));
  }
}

TEST(Dataset, BadUtterancesAreSkippedAndNamed) {
  expect_skipped("missing", [](Utterance& u) { fs::remove(u.audio); });
  expect_skipped("empty", [](Utterance& u) { fs::resize_file(u.audio, 0); });
  expect_skipped("cut short", [](Utterance& u) { cut_file(u.audio, 0.7); });
  expect_skipped("not finite", [](Utterance& u) {
    write_sound(u.audio, {0.f, NAN, 0.f}, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  });
  expect_skipped("too short", [](Utterance& u) { write_sound(u.audio, {0.5f}); });
  expect_skipped("no text", [](Utterance& u) { u.text = " "; });
  expect_skipped("characters outside the alphabet: q ?", [](Utterance& u) { u.text = "one q?"; });
}

TEST(Dataset, MoreThanOneInTwentyIsAnError) {
  SmallCorpus corpus(60);
  for (const size_t i : {1u, 2u, 3u, 4u}) corpus.utterances()[i].text = "";
  corpus.save();
  for (const bool cached : {true, false}) {
    const std::string message = complaint(corpus, cached);
    EXPECT_THAT(message, HasSubstr("4 of 60 utterances"));
    EXPECT_THAT(message, HasSubstr("4 × no text (u01)"));
  }
  const Dataset dataset({corpus.manifest()}, {}, small_tokenizer(), "", {1.0}, {},
                        DataCheck::decode, DataPurpose::training, 0.1);
  EXPECT_EQ(dataset.size(), 56U);
}

TEST(Dataset, OddButLegalAudio) {
  const SmallCorpus corpus(4);
  write_sound(corpus / "u00.wav", std::vector<float>(8000));
  write_sound(corpus / "u01.wav", voice(0.5, 1, 8000), SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000);
  write_sound(corpus / "u02.wav", voice(1, 2), SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 2);
  const Dataset dataset = open(corpus);
  ASSERT_EQ(dataset.size(), 4u);
  EXPECT_TRUE(dataset.features(0, 1).eq(feature_floor).all().item<bool>());
  for (const size_t i : {0u, 1u, 2u}) EXPECT_NEAR(dataset.utterance(i).seconds, 0.5, 1e-9);
}

TEST(Dataset, SeveralManifestsMustNotShareIds) {
  SmallCorpus a(3), b(3);
  EXPECT_THAT(error_of<UserError>([&] {
                Dataset({a.manifest(), b.manifest()}, {}, small_tokenizer(), "", {1.0});
              }),
              HasSubstr("'u00'"));
  for (Utterance& utterance : b.utterances()) utterance.id += "b";
  b.save();
  const Dataset both({a.manifest(), b.manifest()}, {}, small_tokenizer(), a.cache(), {1.0});
  ASSERT_EQ(both.size(), 6u);
  EXPECT_EQ(both.utterance(4).id, "u01b");
  EXPECT_TRUE(both.features(4, 1).equal(
      Dataset({b.manifest()}, {}, small_tokenizer(), "", {1.0}).features(1, 1)));
}

TEST(Dataset, GlobalStatisticsAreThoseOfAllFrames) {
  const SmallCorpus corpus(5);
  const Dataset dataset = open(corpus);
  std::vector<at::Tensor> rows;
  for (size_t i = 0; i < dataset.size(); ++i) rows.push_back(dataset.features(i, 1));
  const at::Tensor all = at::cat(rows).to(at::kDouble);
  const auto [mean, deviation] = dataset.global_statistics();
  EXPECT_TRUE(at::allclose(mean, all.mean(0).to(at::kFloat), 0, 1e-5));
  EXPECT_TRUE(at::allclose(deviation, all.std(0, false).to(at::kFloat), 0, 1e-5));
}

TEST(Dataset, StatisticsOfSilenceDoNotDivideByZero) {
  SmallCorpus corpus(1);
  write_sound(corpus / "u00.wav", std::vector<float>(8000));
  const auto [mean, deviation] = open(corpus).global_statistics();
  EXPECT_TRUE(mean.isclose(at::full_like(mean, feature_floor)).all().item<bool>());
  EXPECT_TRUE(deviation.gt(0).all().item<bool>());
}

TEST(Dataset, CollatePads) {
  const SmallCorpus corpus(4);
  const Dataset dataset = open(corpus);
  const Batch batch = collate(dataset, {2, 1}, {dataset.features(2, 1), dataset.features(1, 1)});
  EXPECT_EQ(batch.ids, (std::vector<std::string>{"u02", "u01"}));
  EXPECT_EQ(batch.indices, (std::vector<int64_t>{2, 1}));
  ASSERT_EQ(batch.features.sizes(), (at::IntArrayRef{2, 100, 80}));  // 0.7 s, 1.0 s
  EXPECT_EQ(batch.feature_lengths[0].item<int64_t>(), 70);
  EXPECT_TRUE(batch.features[0].narrow(0, 0, 70).equal(dataset.features(2, 1)));
  EXPECT_TRUE(batch.features[0].narrow(0, 70, 30).eq(feature_floor).all().item<bool>());
  ASSERT_EQ(batch.tokens.sizes(), (at::IntArrayRef{2, 13}));  // "four five six", "three"
  EXPECT_EQ(batch.token_lengths[1].item<int64_t>(), 5);
  EXPECT_TRUE(batch.tokens[1].narrow(0, 5, 8).eq(0).all().item<bool>());
  EXPECT_NEAR(batch.audio_seconds, 1.7, 0.02);
}

TEST(Dataset, EvaluationBatchesHoldEveryUtteranceOnceLongestFirst) {
  const SmallCorpus corpus(23);
  const Dataset dataset = open(corpus);
  std::set<int64_t> seen;
  double last = 1e9;
  for (const std::vector<int64_t>& batch : evaluation_batches(dataset, 3)) {
    const double longest = dataset.utterance(size_t(batch[0])).seconds;
    EXPECT_LE(longest * double(batch.size()), 3 + 1e-9);
    for (const int64_t i : batch) {
      EXPECT_LE(dataset.utterance(size_t(i)).seconds, last);
      last = dataset.utterance(size_t(i)).seconds;
      EXPECT_TRUE(seen.insert(i).second);
    }
  }
  EXPECT_EQ(seen.size(), 23u);
}

}  // namespace
}  // namespace scion
