// Provenance of a model: import, training, selection from a teacher, calibration.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>

namespace scion {

class Registry;

/// JSON that the model layer passes on without reading it; "" where there is none.
using JsonText = std::string;

/// Written into every model file as the metadata "provenance". Keys that this version does not know
/// are kept in `other` and written again.
struct Provenance {
  struct Trained {
    int64_t epochs = 0, updates = 0, seed = 0, utterances = 0;
    double hours = 0;     ///< of audio trained on in an epoch
    std::string version;  ///< of scion
    /// Name and checksum of the model distilled from; "" without distillation.
    std::string teacher, teacher_checksum;
    JsonText other;
  };
  struct Selected {
    std::string teacher;           ///< name of the model file
    std::string teacher_checksum;  ///< checksum() of its bytes
    /// Where the teacher's weights come from; nullptr when its file does not say.
    std::shared_ptr<const Provenance> teacher_provenance;
    std::string rule_set;
    JsonText rules;  ///< options of SelectionRules
    JsonText plan;   ///< Plan
    JsonText other;
  };
  struct Calibrated {
    JsonText options;  ///< of CalibrationConfig
    JsonText summary;  ///< CalibrationSummary
    JsonText other;
  };

  /// A model of another toolkit.
  struct Imported {
    std::string toolkit, version;  ///< "NeMo", "3.0.0"
    std::string kind;              ///< the toolkit's name for it: "EncDecRNNTBPEModel"
    std::string file, checksum;    ///< name of its file, checksum() of its bytes
    JsonText other;
  };

  std::optional<Trained> trained;
  std::optional<Imported> imported;
  /// Start of the training: the provenance of the model file, or, where there is none, the random
  /// scheme's name or the file's path.
  std::shared_ptr<const Provenance> start;
  std::string start_name;
  std::optional<Selected> selected;
  std::optional<Calibrated> calibrated;
  std::string
      control;  ///< what a study did to the selected weights: shuffled, redrawn; "": nothing
  JsonText other;

  bool empty() const;
  /// null when empty.
  nlohmann::json to_json() const;
  /// UserError naming `place` and the key when a known key has a wrong type.
  static Provenance from_json(const nlohmann::json& json, const std::string& place);
};

/// The record of a selection from the model in `teacher_file`; its checksum is taken here.
Provenance::Selected selected_from(const std::filesystem::path& teacher_file,
                                   const Provenance& teacher);

/// Names of the parameters in `registry` whose values come from another model: all of them, except
/// those that the plan of a freshly selected model leaves random.
std::set<std::string> copied_parameters(const Registry& registry, const Provenance& provenance);

}  // namespace scion
