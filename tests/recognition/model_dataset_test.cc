#include "scion/recognition/model_dataset.h"

#include <gtest/gtest.h>

#include "tests/data/small_corpus.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

// They differ from the defaults.
TEST(DatasetFor, HasTheModelsFeaturesTokenizerAndTexts) {
  SmallCorpus corpus(3);
  corpus.utterances()[0].text = "One, TWO!";
  corpus.save();
  const Tokenizer tokenizer = Tokenizer::train({"one two three four five six"}, {});
  ModelConfig config = testing::small_config();
  config.text = {.letter_case = LetterCase::lower, .punctuation = Punctuation::drop};
  const ModelFile file{
      std::make_unique<Transducer>(config, tokenizer.size()), tokenizer.serialised(), {}};
  const Dataset data = dataset_for(file, {corpus.manifest()}, DataPurpose::training);
  ASSERT_EQ(data.size(), 3U);
  EXPECT_EQ(data.feature_config(), config.features);
  EXPECT_EQ(data.features(0, 1).size(1), 20);
  EXPECT_EQ(data.utterance(0).text, "one two");
  EXPECT_EQ(data.tokenizer().encode("one two"), tokenizer.encode("one two"));
  EXPECT_EQ(data.speeds(), std::vector<double>{1});
}

}  // namespace
}  // namespace scion
