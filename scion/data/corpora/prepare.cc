#include "scion/data/corpora/prepare.h"

#include <nlohmann/json.hpp>
#include <set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/foreign_text.h"
#include "scion/core/log.h"
#include "scion/core/options.h"
#include "scion/core/progress.h"
#include "scion/data/corpora/corpus.h"
#include "scion/data/corpora/odd_recordings.h"
#include "scion/data/corpora/split.h"
#include "scion/data/length_report.h"
#include "scion/data/manifest/manifest.h"
#include "scion/data/skipped.h"
#include "scion/data/spelling.h"
#include "scion/data/train_tokenizer.h"
#include "scion/data/usable.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr int64_t decoding_rate = 16000;  // for decoding only: features have their own

/// Moves utterances with a fault to `skipped`. fault(i) is of utterance i, without a reason if it
/// is sound.
void skip_faulty(std::vector<Utterance>& utterances, std::vector<Skipped>& skipped,
                 const std::function<Skipped(const Utterance&)>& fault) {
  std::vector<Utterance> kept;
  kept.reserve(utterances.size());
  for (Utterance& utterance : utterances) {
    Skipped one = fault(utterance);
    one.id = utterance.id;
    if (one.reason.empty())
      kept.push_back(std::move(utterance));
    else
      skipped.push_back(std::move(one));
  }
  utterances = std::move(kept);
}

/// What is found without decoding: texts and file names that cannot be written. A blank text is one
/// that a test set may have.
void skip_unwritable(Corpus& corpus) {
  skip_faulty(corpus.utterances, corpus.skipped, [](const Utterance& utterance) {
    const std::string& name = utterance.audio.native();
    if (utf8_prefix_length(name) < name.size())
      return Skipped{"", "the name of its file is not UTF-8: " + printable(name), name_hint};
    return Skipped{"", utterance.text.empty() ? "" : text_fault(utterance.text)};
  });
}

/// Leaves the utterances whose audio can be used, with the lengths of the decoded audio; what is
/// odd about them goes into `odd`.
void keep_usable(std::vector<Utterance>& utterances, const std::string& name,
                 std::vector<Skipped>& skipped, OddRecordings& odd) {
  if (utterances.empty()) return;
  std::vector<AudioCheck> checks = check_audio(utterances, decoding_rate, 1, "checking " + name);
  size_t i = 0;
  for (Utterance& utterance : utterances) utterance.seconds = checks[i++].seconds;
  i = 0;
  skip_faulty(utterances, skipped, [&](const Utterance& utterance) {
    AudioCheck& check = checks[i++];
    if (check.reason.empty() && check.quality.is_unscaled())
      return Skipped{"",
                     fmt::format("samples reach {:.0f} where full scale is 1", check.quality.peak)};
    if (check.reason.empty()) odd.look_at(utterance, check.quality);
    return Skipped{"", std::move(check.reason), std::move(check.hint)};
  });
}

Spelling spelling_of(const std::vector<Utterance>& utterances, const Tokenizer& tokenizer) {
  Spelling spelling(tokenizer);
  for (const Utterance& utterance : utterances) spelling.add(utterance.text);
  return spelling;
}

/// Says what the tokenizer cannot write, and which utterances training leaves out unless its limits
/// on length are changed; returns the characters that no piece covers.
std::set<std::string> report(const std::vector<Utterance>& utterances,
                             const std::vector<Utterance>& dev, const Tokenizer& tokenizer) {
  if (!tokenizer.normaliser().empty())
    log_info("the tokenizer normalises text by {} before it cuts it", tokenizer.normaliser());
  const Spelling training = spelling_of(utterances, tokenizer),
                 held_out = spelling_of(dev, tokenizer);
  training.warn_of_training_texts("manifest.jsonl");
  held_out.warn_of_references("dev.jsonl");
  LengthReport lengths{LoaderConfig{}};
  for (const Utterance& utterance : utterances) lengths.add(utterance.seconds);
  lengths.log();
  std::set<std::string> outside = training.characters();
  outside.insert(held_out.characters().begin(), held_out.characters().end());
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
  return {{"unicode", word_of(config.unicode)},
          {"letter_case", word_of(config.letter_case)},
          {"punctuation", word_of(config.punctuation)},
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
      printable((out / "train.toml").string()),
      has_dev ? "evaluation = [\"dev=dev.jsonl\"]\n"
              : "# evaluation = [\"dev=dev.jsonl\"]  # prepare --dev_speakers makes one\n",
      word_of(config.text.unicode), word_of(config.text.letter_case),
      word_of(config.text.punctuation));
}

}  // namespace

void PrepareConfig::declare(Options& options) {
  options.section("text", text, "Text normalisation, applied first.");
  options.section("table", corpus.table, "Tables: CSV and its kin.");
  options.section("column", corpus.table.columns,
                  "Columns of a table: their names, or numbers from 1.");
  options.section("tokenizer", tokenizer, "The tokenizer that is trained on the texts.");
  options.add("format", format, "format of the corpus; auto: recognised by its files");
  options.add("subset", corpus.subset,
              "subset to read of a corpus that lists several (GigaSpeech: XS to XL, DEV, TEST)");
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
  options
      .add("skip_share", skip_share,
           "the most of the utterances that may be skipped; beyond it nothing is written")
      .range(0, 1);
}

namespace {

OrderedJson reasons_of(const std::vector<Skipped>& skipped) {
  OrderedJson reasons = OrderedJson::array();
  for (const SkippedGroup& group : group_by_reason(skipped))
    reasons.push_back({{"count", group.count},
                       {"id", group.first.id},
                       {"reason", group.first.reason},
                       {"hint", group.first.hint}});
  return reasons;
}

/// Whatever can be refused is refused before the audio is decoded, which takes hours.
OrderedJson prepare_corpus(const PrepareConfig& config, Corpus& corpus, const fs::path& source,
                           const fs::path& out, PendingDirectory& folder) {
  const size_t total = corpus.utterances.size() + corpus.skipped.size();
  for (Utterance& utterance : corpus.utterances)
    if (utterance.part.channel < 0) utterance.part.channel = config.channel;
  const OrderedJson normalised = normalise_texts(corpus.utterances, config.text);
  skip_unwritable(corpus);
  check_skipped_share(source, corpus.skipped, total, config.skip_share);
  std::vector<Utterance> utterances = std::move(corpus.utterances), dev;
  if (config.dev_speakers > 0)
    std::tie(utterances, dev) = split_speakers(utterances, size_t(config.dev_speakers));
  Tokenizer tokenizer = make_tokenizer(config, utterances);

  const size_t listed = utterances.size();
  OddRecordings odd;
  keep_usable(utterances, source.filename().string(), corpus.skipped, odd);
  keep_usable(dev, "the held-out speakers", corpus.skipped, odd);
  check_skipped_share(source, corpus.skipped, total, config.skip_share);
  if (utterances.size() < listed) tokenizer = make_tokenizer(config, utterances);
  const std::set<std::string> outside = report(utterances, dev, tokenizer);
  if (config.tokenizer_path.empty())
    skip_faulty(utterances, corpus.skipped, [&](const Utterance& utterance) {
      return Skipped{"", text_fault(utterance.text, tokenizer)};
    });
  check_skipped_share(source, corpus.skipped, total, config.skip_share);
  if (utterances.empty())
    throw UserError("no utterance of " + source.string() + " is left", "look at what is skipped");

  for (const std::string& line : odd.lines()) log_warning("{}", line);
  OrderedJson summary = {{"source", fs::absolute(source).lexically_normal().string()},
                         {"text", normalised},
                         {"vocabulary", tokenizer.size()},
                         {"remarks", corpus.remarks},
                         {"skipped", corpus.skipped.size()},
                         {"skipped_by_reason", reasons_of(corpus.skipped)},
                         {"outside_alphabet", outside},
                         {"warnings", odd.lines()}};
  summary["parts"]["manifest.jsonl"] = summarise(utterances, tokenizer);
  write_manifest(folder.path() / "manifest.jsonl", utterances);
  if (!dev.empty()) {
    summary["parts"]["dev.jsonl"] = summarise(dev, tokenizer);
    write_manifest(folder.path() / "dev.jsonl", dev);
  }
  write_file(folder.path() / "tokenizer.model", tokenizer.serialised());
  write_file(folder.path() / "train.toml", training_config(config, out, !dev.empty()));
  write_skipped(folder.path() / "skipped.jsonl", corpus.skipped);
  write_file(folder.path() / "summary.json",
             summary.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
  folder.commit();
  return summary;
}

}  // namespace

OrderedJson prepare(const PrepareConfig& config, const fs::path& source, const fs::path& out) {
  std::error_code not_there;
  if (fs::exists(out, not_there))
    throw UserError(out.string() + " already exists", "remove it, or choose another folder");
  log_info("prepares {} into {}", source.string(), out.string());
  PendingDirectory folder(out);
  CorpusOptions options = config.corpus;
  options.unpacked = folder.path() / "audio";
  Corpus corpus = read_corpus(source, config.format, options);
  for (const std::string& remark : corpus.remarks) log_warning("{}", remark);
  fs::path list = out.has_filename() ? out : out.parent_path();
  list += ".skipped.jsonl";
  try {
    const OrderedJson summary = prepare_corpus(config, corpus, source, out, folder);
    fs::remove(list, not_there);
    return summary;
  } catch (const UserError& error) {
    if (corpus.skipped.empty()) throw;
    throw naming_skipped(error, list, corpus.skipped);
  }
}

}  // namespace scion
