// Data sets with DataCheck::trust.
#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/loader.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Dataset open_as(const SmallCorpus& corpus, DataCheck check) {
  return Dataset({corpus.manifest()}, {}, small_tokenizer(), "", {0.9, 1.0}, {}, check);
}

/// One fault of every kind; what is left is in order.
struct SpoiltCorpus : SmallCorpus {
  SpoiltCorpus() : SmallCorpus(120) {
    fs::remove(utterances()[3].audio);
    utterances()[40].text = "one q?";
    write_sound(utterances()[77].audio, {0.5f});
    utterances()[78].text = " ";
    cut_file(utterances()[119].audio, 0.5);
    save();
  }
};

TEST(Trust, TheSameUtterancesAreUsableAsWithDecoding) {
  const SpoiltCorpus corpus;
  const Dataset decoded = open_as(corpus, DataCheck::decode),
                trusted = open_as(corpus, DataCheck::trust);
  EXPECT_EQ(trusted.size(), 120u);
  EXPECT_TRUE(trusted.skipped().empty());
  std::vector<Skipped> skipped;
  size_t usable = 0;
  for (size_t i = 0; i < trusted.size(); ++i) {
    const Example example = trusted.example(i, 0.9);
    if (!example.reason.empty()) {
      skipped.push_back({trusted.utterance(i).id, example.reason});
      continue;
    }
    EXPECT_EQ(trusted.id_hash(i), decoded.id_hash(usable));
    EXPECT_TRUE(example.features.equal(decoded.example(usable++, 0.9).features));
  }
  EXPECT_EQ(usable, decoded.size());
  ASSERT_EQ(skipped.size(), decoded.skipped().size());
  for (size_t i = 0; i < skipped.size(); ++i) {
    EXPECT_EQ(skipped[i].id, decoded.skipped()[i].id);
    EXPECT_EQ(skipped[i].reason, decoded.skipped()[i].reason);
  }
}

TEST(Trust, AWrongDurationIsDetected) {
  SmallCorpus corpus(3);
  corpus.utterances()[1].seconds += 1;
  corpus.save();
  const Dataset dataset = open_as(corpus, DataCheck::trust);
  EXPECT_EQ(dataset.example(0, 1).reason, "");
  EXPECT_EQ(dataset.example(1, 1).reason, "lasts 1.00 s, 2.00 s in the manifest");
}

TEST(Trust, ACacheWouldDecodeEverything) {
  const SmallCorpus corpus(2);
  EXPECT_THROW(Dataset({corpus.manifest()}, {}, small_tokenizer(), corpus.cache(), {1.0}, {},
                       DataCheck::trust),
               UserError);
}

TEST(Trust, StatisticsAreThoseOfWhatCanBeUsed) {
  const SpoiltCorpus corpus;
  const auto [mean, deviation] = open_as(corpus, DataCheck::trust).global_statistics();
  const auto [expected_mean, expected] = open_as(corpus, DataCheck::decode).global_statistics();
  EXPECT_TRUE(mean.equal(expected_mean));
  EXPECT_TRUE(deviation.equal(expected));
}

TEST(Trust, NothingUsableIsAnError) {
  SmallCorpus corpus(2);
  for (const Utterance& utterance : corpus.utterances()) fs::remove(utterance.audio);
  EXPECT_THAT(error_of<UserError>([&] { open_as(corpus, DataCheck::trust).global_statistics(); }),
              HasSubstr("u01.wav"));
}

/// Ids, and ids of what was skipped, of an epoch's batches one after another.
std::vector<std::string> deliveries(const Dataset& dataset, int64_t threads) {
  LoaderConfig config;
  config.batch_seconds = 1.3;
  config.threads = threads;
  config.shortest_seconds = 0;
  BatchLoader loader(dataset, config, {}, {at::full({80}, -5.f), {}}, 7, 0, 0);
  std::vector<std::string> names;
  for (BatchLoader::Item item = loader.next(); item.epoch == 0; item = loader.next()) {
    names.push_back(fmt::format("batch {}", item.batch.features.sum().item<float>()));
    names.insert(names.end(), item.batch.ids.begin(), item.batch.ids.end());
    for (const Skipped& one : item.skipped) names.push_back("skipped " + one.id);
  }
  return names;
}

TEST(Trust, BadUtterancesLeaveTheirBatchForAnyNumberOfThreads) {
  const SpoiltCorpus corpus;
  const Dataset dataset = open_as(corpus, DataCheck::trust);
  const std::vector<std::string> names = deliveries(dataset, 1);
  EXPECT_EQ(names, deliveries(dataset, 4));
  for (const char* id : {"u03", "u40", "u77", "u78", "u119"})
    EXPECT_EQ(std::count(names.begin(), names.end(), std::string("skipped ") + id), 1);
  EXPECT_EQ(std::count_if(names.begin(), names.end(),
                          [](const std::string& name) { return name.starts_with("u"); }),
            115);
}

TEST(Trust, ABatchMayBeLeftEmpty) {
  const SmallCorpus corpus(1);
  const Dataset dataset = open_as(corpus, DataCheck::trust);
  fs::remove(corpus / "u00.wav");
  BatchLoader loader(dataset, {}, {}, {at::full({80}, -5.f), {}}, 7, 0, 0);
  for (int i = 0; i < 3; ++i) {
    const BatchLoader::Item item = loader.next();
    EXPECT_TRUE(item.batch.ids.empty());
    EXPECT_EQ(item.batch.features.size(0), 0);
    ASSERT_EQ(item.skipped.size(), 1u);
  }
}

}  // namespace
}  // namespace scion
