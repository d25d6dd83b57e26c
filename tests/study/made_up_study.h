// A whole study of invented numbers, for tests of the report.
#pragma once

#include <cmath>

#include "scion/core/random.h"
#include "scion/study/report/report.h"

namespace scion {

// WER falls from 100 towards `floor`; `head_start` epochs are as if already done.
inline ResultRow made_up_row(const std::string& budget, const std::string& arm,
                             const std::string& set, int64_t seed, double epoch, double floor,
                             double head_start) {
  ResultRow row;
  row.budget = budget, row.arm = arm, row.set = set, row.seed = seed, row.epoch = epoch;
  row.update = static_cast<int64_t>(epoch * 95);
  const double share =
      std::min(1.0, floor / 100 + 1.1 * std::exp(-0.75 * std::pow(epoch + head_start, 0.7)));
  Random random(static_cast<uint64_t>(seed), RandomStream::split, stable_hash(arm + set),
                row.update);
  for (int i = 0; i < 130; ++i) {
    const int64_t words = 4 + i % 5;
    int64_t errors = 0;
    for (int64_t word = 0; word < words; ++word) errors += random.uniform() < share;
    row.utterances.push_back({"s" + std::to_string(i / 13) + "-" + std::to_string(i),
                              "s" + std::to_string(i / 13), errors, words});
    row.errors += errors, row.words += words;
  }
  row.substitutions = row.errors;
  row.wer = 100.0 * static_cast<double>(row.errors) / static_cast<double>(row.words);
  row.training_seconds = 3.7 * epoch + 0.1 * static_cast<double>(seed);
  row.compute_seconds = row.training_seconds + (arm == "random" ? 0 : 352);
  return row;
}

inline void add_made_up_rows(StudyReport& report, const std::string& budget, double epochs) {
  for (const auto& [arm, floor, head_start] :
       {std::tuple{"random", 11.0, -0.8}, {"paper", 10.0, 1.2}, {"best", 6.5, 2.2}})
    for (const std::string set : {"test", "noisy"})
      for (int64_t seed = 1; seed <= 3; ++seed)
        for (double epoch = 1; epoch <= epochs; ++epoch)
          report.rows.push_back(made_up_row(budget, arm, set, seed, epoch,
                                            set == "noisy" ? 2 * floor : floor,
                                            std::max(head_start, 0.1 - epoch)));
}

inline void add_made_up_gradients(StudyReport& report) {
  for (const auto& [arm, level] : {std::pair{"random", 3.0}, {"paper", 1.2}, {"best", 0.8}})
    for (int64_t seed = 1; seed <= 3; ++seed) {
      Random random(static_cast<uint64_t>(seed), RandomStream::dropout, stable_hash(arm));
      MeasuredRun run{"20 epochs", arm, {0, seed}, {}, {}, {}, {}};
      double path = 0;
      for (int64_t update = 1; update <= 1900; ++update) {
        const double u = static_cast<double>(update);
        run.whole.add(u, u / 95,
                      level * (0.4 + 8 * std::exp(-u / 90)) * std::exp(0.35 * random.normal()));
        path += 0.1 * level;
        run.whole.cosine.back() = 0.1 / level + 0.1 * random.normal();
        run.whole.path.back() = path;
        run.whole.displacement.back() = std::pow(path, 0.9 - 0.05 * level);
      }
      for (const char* part : {"all", "subsampling", "layers.0", "layers.1", "predictor"}) {
        run.early[part] = steadiness(run.whole, 1);
        run.all[part] = steadiness(run.whole, 20);
      }
      for (int i = 0; i <= 10; ++i)
        run.line.emplace_back(0.1 * i, 60 * std::exp(-0.3 * i * level) + 2);
      report.measured_runs.push_back(std::move(run));
    }
}

inline StudyReport made_up_study() {
  StudyReport report;
  report.title = "Weight selection on AN4 <made up>";
  report.summary =
      "A Conformer transducer of 3.6 million parameters is the teacher of students of 0.47 "
      "million. "
      "All numbers on this page are invented.";
  report.facts = {{"date", "2031-02-03 04:05"},
                  {"commit", "0123abc & changes"},
                  {"machine", "2 cores of an \"example\" processor, 8 GB"},
                  {"recipe", "recipes/an4/study.toml"},
                  {"data", "948 utterances, 0.707 h, 74 speakers"}};
  report.commands = {"scion prepare --corpus data/an4 --out exp/an4",
                     "scion compare --config recipes/an4/study.toml --out exp/study"};
  report.arms = {{"random", "random", "Random weights after Xavier and Glorot"},
                 {"paper", "selected (paper)", "Layers from the front, evenly spaced elements"},
                 {"best", "selected (best)",
                  "First and last layers, even elements, read-outs compensated by least squares"}};
  add_made_up_rows(report, "20 epochs", 20);
  add_made_up_rows(report, "8 epochs", 8);
  report.differences = compare_arms(report.rows, {"20 epochs", "test", "random", "best", 20.0},
                                    {{"20 epochs", "test", "random", "paper", 20.0},
                                     {"20 epochs", "test", "paper", "best", 20.0},
                                     {"20 epochs", "noisy", "random", "best", 20.0},
                                     {"8 epochs", "test", "random", "best", 8.0}},
                                    {0.95, 1000, 1});
  add_made_up_gradients(report);
  for (const std::string arm : {"random", "paper", "best"})
    for (const double rate : {1e-3, 2e-3, 4e-3, 8e-3})
      report.tuning.push_back({"20 epochs", arm, "peak_lr " + std::to_string(rate).substr(0, 5),
                               12 + 900 * std::abs(rate - 4e-3), rate == 4e-3});
  for (double epoch = 2; epoch <= 42; epoch += 2)
    report.teacher.push_back(made_up_row("", "teacher", "test", 1, epoch, 7, -1));
  for (int i = 0; i < 26; ++i)
    report.seen_sentences["test"].insert("s" + std::to_string(i / 13) + "-" + std::to_string(i));
  report.checks = {{"every arm saw the same batches", true, "1900 batches, one checksum"},
                   {"resumed run equals uninterrupted run", true, "bytes equal"},
                   {"selected beats random after one epoch", false, "71.2 % against 70.9 %"}};
  report.notes = {"The budget of 8 epochs uses the rate tuned for 20."};
  return report;
}

}  // namespace scion
