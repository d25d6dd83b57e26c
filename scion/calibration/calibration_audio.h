// Calibration audio, and a model's way through it, part by part.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <filesystem>
#include <functional>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/model_file.h"
#include "scion/model/transducer.h"
#include "scion/nn/operators/observer.h"

namespace scion {

/// One utterance, which goes through the models alone: there is no padding, and every row that a
/// layer sees counts.
struct CalibrationUtterance {
  at::Tensor features;  ///< (1, T, F)
  at::Tensor tokens;    ///< (1, U) int64
  /// Nodes of the lattice, in which joiners are compared: (N) int64 each.
  at::Tensor node_frames, node_labels;
};

struct CalibrationAudio {
  std::vector<CalibrationUtterance> utterances;
  double seconds = 0;
};

/// Utterances of up to `seconds` in all, at least one, in the order of their ids' hashes: a sample
/// that depends on nothing else. Those too short for one encoder frame of `model` are passed over;
/// UserError when no other is left.
CalibrationAudio read_calibration_audio(const Dataset& data, const Transducer& model,
                                        double seconds);

/// The same from the utterances of manifests, with the features, text normalisation and tokenizer
/// of the teacher.
CalibrationAudio read_calibration_audio(const std::vector<std::filesystem::path>& manifests,
                                        const ModelFile& teacher, double seconds);

/// The parts of a model between which it can be stopped and taken up again, in order.
enum class ModelPart { subsampling, encoder, predictor, heads };
inline constexpr std::array<ModelPart, 4> model_parts = {ModelPart::subsampling, ModelPart::encoder,
                                                         ModelPart::predictor, ModelPart::heads};

/// What an utterance is after its parts.
struct SegmentOutputs {
  at::Tensor subsampled, encoded, predicted;  ///< (1, T', width), (1, T', width), (1, U+1, width)
};

/// Takes one utterance through one segment, in evaluation, and keeps its output in `outputs`. The
/// heads leave nothing: what they compute is shown to the observer. The joiner's output map is
/// shown the utterance's nodes, where there are some.
void run_segment(const Transducer& model, const CalibrationUtterance& utterance, ModelPart segment,
                 SegmentOutputs& outputs, InputObserver* observer);

/// Chooses the nodes: those that the most probable alignment of the labels goes through, T' + U of
/// them. That is where a trained joiner's probability lies, and where a search and the loss's
/// gradient go; all T' · (U + 1) would be mostly nodes that nothing ever asks for.
void choose_nodes(const Transducer& model, const SegmentOutputs& outputs,
                  CalibrationUtterance& utterance);

/// Sums over utterances are taken in so many lanes, and then over the lanes: the same for any
/// number of threads.
inline constexpr size_t calibration_lanes = 8;
/// work(lane, utterance) for all utterances, lanes side by side, without gradients.
void for_each_utterance_in_lanes(size_t utterances,
                                 const std::function<void(size_t lane, size_t utterance)>& work);

}  // namespace scion
