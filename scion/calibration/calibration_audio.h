// Audio that calibrations and activation scores are computed from.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/model_file.h"

namespace scion {

/// One utterance. It goes through a model alone, without padding, so that every row counts.
struct CalibrationUtterance {
  at::Tensor features;  ///< (1, T, F)
  at::Tensor tokens;    ///< (1, U) int64
  /// Nodes of the lattice in which joiners are compared: (N) int64 each; undefined until
  /// choose_nodes().
  at::Tensor node_frames, node_labels;
};

struct CalibrationAudio {
  std::vector<CalibrationUtterance> utterances;
  double seconds = 0;
};

/// Utterances of up to `seconds` in all, at least one, in the order of their ids' hashes: a sample
/// that depends on nothing else. Utterances too short for one encoder frame of `model` are skipped;
/// UserError if none is left.
CalibrationAudio read_calibration_audio(const Dataset& data, const Transducer& model,
                                        double seconds);

/// The same from the utterances of manifests, with the features, text normalisation and tokenizer
/// of the teacher.
CalibrationAudio read_calibration_audio(const std::vector<std::filesystem::path>& manifests,
                                        const ModelFile& teacher, double seconds);

}  // namespace scion
