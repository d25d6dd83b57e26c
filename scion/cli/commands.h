// The program's commands. Each function registers one command, whose callback calls the library.
#pragma once

#include <CLI/CLI.hpp>

namespace scion {

void add_prepare(CLI::App& app);
void add_train(CLI::App& app);
void add_import(CLI::App& app);
void add_select(CLI::App& app);
void add_calibrate(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_align(CLI::App& app);
void add_transcribe(CLI::App& app);
void add_score(CLI::App& app);
void add_compare(CLI::App& app);
void add_inspect(CLI::App& app);
void add_config(CLI::App& app);
void add_completion(CLI::App& app);
void add_manual(CLI::App& app);

}  // namespace scion
