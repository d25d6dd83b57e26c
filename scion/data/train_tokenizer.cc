#include "scion/data/train_tokenizer.h"

#include "scion/data/manifest/manifest_index.h"

namespace scion {

Tokenizer train_tokenizer(const std::vector<Utterance>& utterances, const TokenizerConfig& config) {
  std::vector<std::string> texts;
  texts.reserve(utterances.size());
  for (const Utterance& utterance : utterances) texts.push_back(utterance.text);
  return Tokenizer::train(texts, config);
}

Tokenizer train_tokenizer(const std::vector<std::string>& manifests,
                          const NormalisationConfig& text, const TokenizerConfig& config) {
  std::vector<std::string> texts;
  for (const std::string& manifest : manifests) {
    const ManifestIndex index(manifest);
    for (size_t i = 0; i < index.size(); ++i)
      texts.push_back(normalise_text(index.utterance(i).text, text));
  }
  return Tokenizer::train(texts, config);
}

}  // namespace scion
