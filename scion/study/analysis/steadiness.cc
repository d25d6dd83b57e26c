#include "scion/study/analysis/steadiness.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "scion/core/files/file.h"
#include "scion/core/files/json_lines.h"
#include "scion/training/run/run_folder.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

double number_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || !found->is_number() ? unknown : found->get<double>();
}

bool usable_norm(double norm) { return std::isfinite(norm) && norm > 0; }

double last_finite(const std::vector<double>& values, size_t count) {
  for (size_t i = count; i-- > 0;)
    if (std::isfinite(values[i])) return values[i];
  return unknown;
}

// The gradient norm of all parameters at every update, from updates.jsonl.
MeasuredUpdates read_norms(const fs::path& directory) {
  MeasuredUpdates whole;
  for (const nlohmann::json& line : read_json_lines(RunFiles(directory).updates()))
    whole.add(number_at(line, "update"), number_at(line, "epoch"),
              number_at(line, "gradient_norm"));
  return whole;
}

// Measurements by part of the network, at the measured updates.
std::map<std::string, MeasuredUpdates> read_parts(const fs::path& directory) {
  std::map<std::string, MeasuredUpdates> parts;
  for (const nlohmann::json& line : read_json_lines(RunFiles(directory).measures()))
    for (const auto& [name, measures] : line.items()) {
      if (!measures.is_object()) continue;
      MeasuredUpdates& part = parts[name];
      part.add(number_at(line, "update"), number_at(line, "epoch"), number_at(measures, "norm"));
      part.change.back() = number_at(measures, "change");
      part.cosine.back() = number_at(measures, "cosine");
      part.path.back() = number_at(measures, "path");
      part.displacement.back() = number_at(measures, "displacement");
    }
  return parts;
}

// Adds cosine and path of the measured updates to the norms of every update.
void join_path(MeasuredUpdates& whole, const MeasuredUpdates& measured) {
  size_t i = 0;
  for (size_t m = 0; m < measured.updates.size(); ++m) {
    while (i < whole.updates.size() && whole.updates[i] < measured.updates[m]) ++i;
    if (i == whole.updates.size() || whole.updates[i] != measured.updates[m]) continue;
    whole.cosine[i] = measured.cosine[m];
    whole.path[i] = measured.path[m];
    whole.displacement[i] = measured.displacement[m];
  }
}

double value_at(const MeasuredUpdates& updates, PathMeasure measure, size_t i) {
  switch (measure) {
    case PathMeasure::norm:
      return usable_norm(updates.norm[i]) ? std::log(updates.norm[i]) : unknown;
    case PathMeasure::cosine:
      return updates.cosine[i];
    case PathMeasure::detour:
      return updates.path[i] / updates.displacement[i];
  }
  return unknown;
}

struct Mean {
  double sum = 0;
  int64_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  double value() const { return count > 0 ? sum / static_cast<double>(count) : unknown; }
};

using ArmRuns = std::pair<std::pair<std::string, std::string>, std::vector<const MeasuredRun*>>;

std::vector<ArmRuns> by_arm(const std::vector<MeasuredRun>& runs) {
  std::vector<ArmRuns> arms;
  for (const MeasuredRun& run : runs) {
    const auto name = std::pair(run.budget, run.arm);
    auto arm = std::find_if(arms.begin(), arms.end(),
                            [&](const ArmRuns& known) { return known.first == name; });
    if (arm == arms.end()) arm = arms.insert(arm, {name, {}});
    arm->second.push_back(&run);
  }
  return arms;
}

// Mean, minimum and maximum of the runs' values at each x.
MeasureCurve curve_of(const ArmRuns& arm, const std::map<double, std::vector<double>>& values_at) {
  MeasureCurve curve{arm.first.first, arm.first.second, {}, {}, {}, {}};
  for (const auto& [x, values] : values_at) {
    Mean mean;
    for (const double value : values) mean.add(value);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    curve.x.push_back(x);
    curve.mean.push_back(mean.value());
    curve.low.push_back(*low);
    curve.high.push_back(*high);
  }
  return curve;
}

}  // namespace

void MeasuredUpdates::add(double update, double epoch, double gradient_norm) {
  const bool follows = !updates.empty() && updates.back() + 1 == update &&
                       usable_norm(norm.back()) && usable_norm(gradient_norm);
  change.push_back(follows ? std::log(gradient_norm / norm.back()) : unknown);
  updates.push_back(update);
  epochs.push_back(epoch);
  norm.push_back(gradient_norm);
  for (std::vector<double>* column : {&cosine, &path, &displacement}) column->push_back(unknown);
}

Steadiness steadiness(const MeasuredUpdates& updates, double last_epoch) {
  size_t count = 0;
  while (count < updates.epochs.size() && updates.epochs[count] <= last_epoch + 1e-9) ++count;
  Mean level, squares, change, cosine;
  for (size_t i = 0; i < count; ++i) {
    if (std::isfinite(updates.cosine[i])) cosine.add(updates.cosine[i]);
    if (std::isfinite(updates.change[i])) change.add(std::abs(updates.change[i]));
    if (usable_norm(updates.norm[i])) level.add(std::log(updates.norm[i]));
  }
  for (size_t i = 0; i < count; ++i)
    if (usable_norm(updates.norm[i]))
      squares.add(std::pow(std::log(updates.norm[i]) - level.value(), 2));
  const double n = static_cast<double>(squares.count);
  return {level.value(), n > 1 ? std::sqrt(squares.sum / (n - 1)) : unknown, change.value(),
          cosine.value(),
          last_finite(updates.path, count) / last_finite(updates.displacement, count)};
}

MeasuredRun read_measured_run(const fs::path& directory) {
  MeasuredRun run;
  run.whole = read_norms(directory);
  std::map<std::string, MeasuredUpdates> parts = read_parts(directory);
  if (const auto all = parts.find("all"); all != parts.end()) join_path(run.whole, all->second);
  parts["all"] = run.whole;
  for (const auto& [name, part] : parts) {
    run.early[name] = steadiness(part, 1);
    run.all[name] = steadiness(part, HUGE_VAL);
  }
  if (const fs::path line = RunFiles(directory).loss_line(); fs::exists(line))
    for (const nlohmann::json& point : nlohmann::json::parse(read_file(line)))
      run.line.emplace_back(point.at(0).get<double>(),
                            point.at(1).is_number() ? point.at(1).get<double>() : unknown);
  return run;
}

std::vector<MeasureCurve> measure_curves(const std::vector<MeasuredRun>& runs, PathMeasure measure,
                                         int64_t points) {
  double last = 0;
  for (const MeasuredRun& run : runs)
    if (!run.whole.updates.empty()) last = std::max(last, run.whole.updates.back());
  const double width = std::floor(last / static_cast<double>(points)) + 1;
  std::vector<MeasureCurve> curves;
  for (const ArmRuns& arm : by_arm(runs)) {
    std::map<double, std::vector<double>> values_at;  // the middle of a bin → a value per run
    for (const MeasuredRun* run : arm.second) {
      std::map<double, Mean> bins;
      for (size_t i = 0; i < run->whole.updates.size(); ++i) {
        const double value = value_at(run->whole, measure, i);
        if (std::isfinite(value)) bins[std::floor(run->whole.updates[i] / width)].add(value);
      }
      for (const auto& [bin, mean] : bins)
        values_at[bin * width + (width - 1) / 2].push_back(mean.value());
    }
    if (values_at.empty()) continue;
    curves.push_back(curve_of(arm, values_at));
    if (measure != PathMeasure::norm) continue;
    for (std::vector<double>* column :
         {&curves.back().mean, &curves.back().low, &curves.back().high})
      for (double& value : *column) value = std::exp(value);
  }
  return curves;
}

std::vector<MeasureCurve> line_curves(const std::vector<MeasuredRun>& runs) {
  std::vector<MeasureCurve> curves;
  for (const ArmRuns& arm : by_arm(runs)) {
    std::map<double, std::vector<double>> values_at;
    for (const MeasuredRun* run : arm.second)
      for (const auto& [share, loss] : run->line)
        if (std::isfinite(loss)) values_at[share].push_back(loss);
    if (!values_at.empty()) curves.push_back(curve_of(arm, values_at));
  }
  return curves;
}

std::map<RunKey, double> values_of(const std::vector<MeasuredRun>& runs, const std::string& budget,
                                   const std::string& arm,
                                   const std::function<double(const MeasuredRun&)>& value) {
  std::map<RunKey, double> values;
  for (const MeasuredRun& run : runs) {
    if (run.budget != budget || run.arm != arm) continue;
    const double number = value(run);
    if (std::isfinite(number)) values[run.run] = number;
  }
  return values;
}

}  // namespace scion
