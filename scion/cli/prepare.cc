// scion prepare: corpus → checked manifest and tokenizer.
#include "scion/data/corpora/prepare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/error.h"
#include "scion/core/foreign_text.h"
#include "scion/core/options.h"

namespace scion {
namespace {

using OrderedJson = nlohmann::ordered_json;

void print_normalisation(const OrderedJson& text) {
  fmt::print("text          unicode {}, case {}, punctuation {}: {} texts changed\n",
             text["unicode"].get<std::string>(), text["letter_case"].get<std::string>(),
             text["punctuation"].get<std::string>(), text["changed"].get<size_t>());
  for (const OrderedJson& example : text["examples"])
    fmt::print("  {}\n  → {}\n", printable(example["before"].get<std::string>()),
               printable(example["after"].get<std::string>()));
}

void print_part(const std::string& name, const OrderedJson& part) {
  std::string lengths;
  for (const auto& [percent, seconds] : part["seconds"].items())
    lengths +=
        fmt::format("{}{}: {:.2f} s", lengths.empty() ? "" : ", ", percent, seconds.get<double>());
  fmt::print(
      "{}\n  utterances  {}\n  hours       {:.3f}\n  speakers    {}\n  tokens      {}\n"
      "  lengths     {}\n",
      name, part["utterances"].get<size_t>(), part["hours"].get<double>(),
      part["speakers"].get<size_t>(), part["tokens"].get<size_t>(), lengths);
}

void print_summary(const OrderedJson& summary) {
  for (const auto& [name, part] : summary["parts"].items()) print_part(name, part);
  print_normalisation(summary["text"]);
  fmt::print("vocabulary    {} pieces\nskipped       {}\n", summary["vocabulary"].get<int64_t>(),
             summary["skipped"].get<size_t>());
  for (const OrderedJson& group : summary["skipped_by_reason"])
    fmt::print("  {} × {} ({})\n", group["count"].get<size_t>(),
               printable(group["reason"].get<std::string>()),
               printable(group["id"].get<std::string>()));
  if (!summary["outside_alphabet"].empty())
    fmt::print("outside the alphabet: {}\n",
               fmt::join(summary["outside_alphabet"].get<std::vector<std::string>>(), " "));
}

}  // namespace

void add_prepare(CLI::App& app) {
  struct PrepareArguments {
    PrepareConfig config;
    Options options;
    std::string source, out;
    bool dump = false;
  };
  auto arguments = std::make_shared<PrepareArguments>();
  arguments->config.declare(arguments->options);
  CLI::App* command = app.add_subcommand("prepare", "check a corpus, train its tokenizer");
  command
      ->add_option("source", arguments->source,
                   "a manifest, a table, or a corpus (docs/design/data.md lists the layouts)")
      ->required();
  command->add_option("--out", arguments->out, "folder to write; must not exist");
  command->add_flag("--dump-config", arguments->dump, "print the configuration and stop");
  add_option_flags(*command, {arguments, &arguments->options});
  command->callback([arguments] {
    if (arguments->dump) {
      fmt::print("{}", arguments->options.to_toml());
      return;
    }
    if (arguments->out.empty()) throw UserError("--out is missing", "name the folder to write");
    print_summary(prepare(arguments->config, arguments->source, arguments->out));
    // A corpus prepared with an existing tokenizer is likely to be a test set.
    if (arguments->config.tokenizer_path.empty())
      fmt::print("to train on it: scion train --config {} --out exp/mine\n",
                 (std::filesystem::path(arguments->out) / "train.toml").string());
    fmt::print("{}\n", arguments->out);
  });
}

}  // namespace scion
