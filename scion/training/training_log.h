// The logs of a run: updates, measurements and evaluations, as JSON lines and for TensorBoard.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "scion/core/files/event_file.h"
#include "scion/core/files/file.h"
#include "scion/recognition/evaluation.h"
#include "scion/training/evaluated_weights.h"
#include "scion/training/run/run_folder.h"
#include "scion/training/step.h"

namespace scion {

struct UpdateRecord {
  int64_t update = 0;
  double epoch = 0;  ///< epochs done
  StepLoss losses;   ///< of the update's last batch
  double gradient_norm = 0;
  UpdateRates rates;
  double training_seconds = 0;  ///< since the start of the run
  double speed = 0;             ///< seconds of speech a second
};

struct EvaluationRecord {
  std::string set;
  Weights weights = Weights::raw;
  int64_t epoch = 0, update = 0;
  double training_seconds = 0, train_loss = 0;
};

class TrainingLog {
 public:
  /// Opens the logs of a run that continues after `update`: lines and points after it, which an
  /// interrupted run has written and will write again, are removed first.
  TrainingLog(const RunConfig& config, const RunFiles& files, int64_t update);

  void add(const UpdateRecord& record);
  /// `measures`: what PathMeasures gives.
  void add_measures(int64_t update, double epoch, nlohmann::json measures);
  void add(const EvaluationRecord& record, const EvaluationResult& result);
  /// Makes the JSON lines durable.
  void sync();

 private:
  std::unique_ptr<LineLog> updates_, results_;
  std::unique_ptr<LineLog> measures_;  // nullptr in runs that are not measured
  std::unique_ptr<EventFile> events_;
};

}  // namespace scion
