// scion import: a model of another toolkit.
#include <fmt/format.h>

#include <charconv>

#include "scion/cli/commands.h"
#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/interchange/import_model.h"

namespace scion {
namespace {

struct ImportArguments {
  std::string file, out, tokenizer, context;
};

// "70,13"
AttentionContext read_attention_context(const std::string& text) {
  AttentionContext context;
  const char *const begin = text.data(), *const end = begin + text.size();
  const auto [comma, first] = std::from_chars(begin, end, context.left);
  if (first == std::errc() && comma != end && *comma == ',') {
    const auto [stop, second] = std::from_chars(comma + 1, end, context.right);
    if (second == std::errc() && stop == end) return context;
  }
  throw UserError(fmt::format("--attention-context is '{}'", text),
                  "give two numbers of encoder frames, e.g. 70,13");
}

void import_file(const ImportArguments& arguments) {
  ImportOptions options{.tokenizer = arguments.tokenizer, .context = {}};
  if (!arguments.context.empty()) options.context = read_attention_context(arguments.context);
  log_info("imports {}", arguments.file);
  const ImportedModel imported = import_model(arguments.file, options);
  const ModelFile& model = imported.file;
  save_model(arguments.out, *model.model, model.tokenizer, model.provenance);
  for (const std::string& note : imported.notes) log_info("{}", note);
  fmt::print("{} {}: {} parameters, {} pieces with the blank\n{}\n",
             model.provenance.imported->toolkit, model.provenance.imported->kind,
             model.model->registry().parameter_count(), model.model->vocabulary(), arguments.out);
}

}  // namespace

void add_import(CLI::App& app) {
  auto arguments = std::make_shared<ImportArguments>();
  CLI::App* command = app.add_subcommand("import", "read a model that NeMo trained");
  command->add_option("file", arguments->file, "NeMo's .nemo archive")->required();
  command->add_option("--out", arguments->out, "the model file")->required();
  command->add_option("--tokenizer", arguments->tokenizer,
                      "SentencePiece model of the labels, if not the archive's own");
  command->add_option("--attention-context", arguments->context,
                      "of a model trained with several contexts, the one to keep, as LEFT,RIGHT in "
                      "encoder frames; the first by default");
  command->callback([arguments] { import_file(*arguments); });
}

}  // namespace scion
