#include "scion/data/corpora/prepare.h"

#include <nlohmann/json.hpp>
#include <set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/log.h"
#include "scion/core/options.h"
#include "scion/core/progress.h"
#include "scion/data/corpora/corpus.h"
#include "scion/data/corpora/odd_recordings.h"
#include "scion/data/corpora/split.h"
#include "scion/data/manifest.h"
#include "scion/data/skipped.h"
#include "scion/data/train_tokenizer.h"
#include "scion/data/usable.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr int64_t decoding_rate = 16000;  // for decoding only: features have their own

/// The usable utterances, with the lengths of the decoded audio, and what is odd about them.
std::vector<Utterance> keep_usable(std::vector<Utterance> utterances, const fs::path& source,
                                   std::vector<Skipped>& skipped, OddRecordings& odd) {
  const std::vector<AudioCheck> checks =
      check_audio(utterances, decoding_rate, 1, "checking " + source.filename().string());
  std::vector<Utterance> kept;
  for (size_t i = 0; i < utterances.size(); ++i) {
    std::string reason = checks[i].reason;
    if (reason.empty() && checks[i].quality.is_unscaled())
      reason = fmt::format("samples reach {:.0f} where full scale is 1", checks[i].quality.peak);
    if (reason.empty()) reason = text_fault(utterances[i].text);
    if (reason.empty()) {
      utterances[i].seconds = checks[i].seconds;
      odd.look_at(utterances[i], checks[i].quality);
      kept.push_back(std::move(utterances[i]));
    } else {
      skipped.push_back({utterances[i].id, std::move(reason)});
    }
  }
  return kept;
}

/// Moves utterances that the tokenizer cannot spell to `skipped`; returns the missing characters.
std::set<std::string> drop_uncovered(std::vector<Utterance>& utterances, const Tokenizer& tokenizer,
                                     std::vector<Skipped>& skipped) {
  std::set<std::string> outside;
  std::vector<Utterance> kept;
  for (Utterance& utterance : utterances) {
    const std::vector<std::string> uncovered = tokenizer.uncovered(utterance.text);
    outside.insert(uncovered.begin(), uncovered.end());
    std::string reason = text_fault(utterance.text, tokenizer);
    if (reason.empty())
      kept.push_back(std::move(utterance));
    else
      skipped.push_back({utterance.id, std::move(reason)});
  }
  utterances = std::move(kept);
  return outside;
}

/// Normalises in place; returns the settings, the number of changed texts and the first few.
OrderedJson normalise_texts(std::vector<Utterance>& utterances, const NormalisationConfig& config) {
  constexpr size_t most_examples = 3;
  size_t changed = 0;
  OrderedJson examples = OrderedJson::array();
  for (Utterance& utterance : utterances) {
    std::string text = normalise_text(utterance.text, config);
    if (text == utterance.text) continue;
    ++changed;
    if (examples.size() < most_examples)
      examples.push_back({{"id", utterance.id}, {"before", utterance.text}, {"after", text}});
    utterance.text = std::move(text);
  }
  return {{"unicode", config.unicode},
          {"letter_case", config.letter_case},
          {"punctuation", config.punctuation},
          {"changed", changed},
          {"examples", examples}};
}

Tokenizer make_tokenizer(const PrepareConfig& config, const std::vector<Utterance>& utterances) {
  if (!config.tokenizer_path.empty()) return Tokenizer::load(config.tokenizer_path);
  return train_tokenizer(utterances, config.tokenizer);
}

/// Utterances, hours, speakers and percentiles of the length of one list.
OrderedJson summarise(const std::vector<Utterance>& utterances, const Tokenizer& tokenizer) {
  std::set<std::string> speakers;
  std::vector<double> lengths;
  double seconds = 0;
  size_t tokens = 0;
  for (const Utterance& utterance : utterances) {
    if (!utterance.speaker.empty()) speakers.insert(utterance.speaker);
    lengths.push_back(utterance.seconds);
    seconds += utterance.seconds;
    tokens += tokenizer.encode(utterance.text).size();
  }
  std::sort(lengths.begin(), lengths.end());
  OrderedJson summary = {{"utterances", utterances.size()},
                         {"hours", seconds / 3600},
                         {"speakers", speakers.size()},
                         {"tokens", tokens}};
  for (const int percent : {0, 5, 50, 95, 100})
    summary["seconds"][std::to_string(percent) + "%"] =
        lengths.empty() ? 0 : lengths[size_t(percent) * (lengths.size() - 1) / 100];
  return summary;
}

/// A configuration to start from: the prepared data with the same text normalisation.
std::string training_config(const PrepareConfig& config, const fs::path& out, bool has_dev) {
  return fmt::format(
      "# scion train --config {0} --out exp/mine\n"
      "# Every other option: scion train --config {0} --dump-config\n"
      "[data]\n"
      "train = [\"manifest.jsonl\"]\n"
      "{1}"
      "tokenizer = \"tokenizer.model\"\n\n"
      "[model]\n"
      "preset = \"conformer-9m\"\n\n"
      "[model.text]\n"
      "unicode = \"{2}\"\nletter_case = \"{3}\"\npunctuation = \"{4}\"\n\n"
      "[train]\n"
      "epochs = 30\n",
      (out / "train.toml").string(),
      has_dev ? "evaluation = [\"dev=dev.jsonl\"]\n"
              : "# evaluation = [\"dev=dev.jsonl\"]  # prepare --dev_speakers makes one\n",
      config.text.unicode, config.text.letter_case, config.text.punctuation);
}

}  // namespace

void PrepareConfig::declare(Options& options) {
  options.section("text", text, "Text normalisation, applied first.");
  options.section("table", table, "Tables: CSV and its kin.");
  options.section("column", table.columns, "Columns of a table: their names, or numbers from 1.");
  options.section("tokenizer", tokenizer, "The tokenizer that is trained on the texts.");
  options.add("format", format, "format of the corpus; auto: recognised by its files");
  options
      .add("channel", channel,
           "channel to use where the corpus names none, from 0; -1: all, averaged")
      .range(-1, 1023);
  options.add("tokenizer_path", tokenizer_path,
              "an existing tokenizer; empty: one is trained on the texts");
  options
      .add("dev_speakers", dev_speakers,
           "speakers held out as dev.jsonl: the first by a hash of their names")
      .range(0, 1e6);
}

OrderedJson prepare(const PrepareConfig& config, const fs::path& source, const fs::path& out) {
  if (fs::exists(out))
    throw UserError(out.string() + " already exists", "remove it, or choose another folder");
  log_info("prepares {} into {}", source.string(), out.string());
  auto [utterances, skipped] = read_corpus(source, config.format, config.table);
  const size_t total = utterances.size() + skipped.size();
  for (Utterance& utterance : utterances)
    if (utterance.part.channel < 0) utterance.part.channel = config.channel;
  const OrderedJson normalised = normalise_texts(utterances, config.text);
  OddRecordings odd;
  utterances = keep_usable(std::move(utterances), source, skipped, odd);
  check_skipped_share(source, skipped, total);

  std::vector<Utterance> dev;
  if (config.dev_speakers > 0)
    std::tie(utterances, dev) = split_speakers(utterances, size_t(config.dev_speakers));
  const Tokenizer tokenizer = make_tokenizer(config, utterances);
  std::set<std::string> outside = drop_uncovered(utterances, tokenizer, skipped);
  outside.merge(drop_uncovered(dev, tokenizer, skipped));
  check_skipped_share(source, skipped, total);

  for (const std::string& line : odd.lines()) log_warning("{}", line);
  OrderedJson summary = {{"source", fs::absolute(source).lexically_normal().string()},
                         {"text", normalised},
                         {"vocabulary", tokenizer.size()},
                         {"skipped", skipped.size()},
                         {"outside_alphabet", outside},
                         {"warnings", odd.lines()}};
  PendingDirectory folder(out);
  summary["parts"]["manifest.jsonl"] = summarise(utterances, tokenizer);
  write_manifest(folder.path() / "manifest.jsonl", utterances);
  if (!dev.empty()) {
    summary["parts"]["dev.jsonl"] = summarise(dev, tokenizer);
    write_manifest(folder.path() / "dev.jsonl", dev);
  }
  write_file(folder.path() / "tokenizer.model", tokenizer.serialised());
  write_file(folder.path() / "train.toml", training_config(config, out, !dev.empty()));
  write_skipped(folder.path() / "skipped.jsonl", skipped);
  write_file(folder.path() / "summary.json", summary.dump(2) + "\n");
  folder.commit();
  return summary;
}

}  // namespace scion
