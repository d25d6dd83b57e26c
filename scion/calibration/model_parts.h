// Forward passes of single utterances, part by part, so that a model can be stopped and resumed.
#pragma once

#include <array>
#include <functional>

#include "scion/calibration/calibration_audio.h"
#include "scion/model/transducer.h"
#include "scion/nn/operators/observer.h"

namespace scion {

/// In the order of computation.
enum class ModelPart { subsampling, encoder, predictor, heads };
inline constexpr std::array<ModelPart, 4> model_parts = {ModelPart::subsampling, ModelPart::encoder,
                                                         ModelPart::predictor, ModelPart::heads};

/// Outputs of an utterance's parts; undefined until the part has been run.
struct PartOutputs {
  at::Tensor subsampled, encoded, predicted;  ///< (1, T', width), (1, T', width), (1, U+1, width)
};

/// Runs one part in evaluation mode and keeps its output in `outputs`. The heads have no output:
/// the observer gets their inputs, and for the joiner's output layer those of the utterance's
/// nodes, if they are chosen.
void run_part(const Transducer& model, const CalibrationUtterance& utterance, ModelPart part,
              PartOutputs& outputs, InputObserver* observer);

/// Chooses the T' + U nodes on the most probable alignment of the labels. That is where a trained
/// joiner's probability lies, where a search goes and where the loss has its gradient; most of the
/// T' · (U + 1) nodes of the lattice have none of it.
void choose_nodes(const Transducer& model, const PartOutputs& outputs,
                  CalibrationUtterance& utterance);

/// Sums over utterances are taken in this number of lanes, and then over the lanes, so that they
/// are the same for any number of threads.
inline constexpr size_t calibration_lanes = 8;
/// Calls work(lane, utterance) for all utterances, lanes in parallel, without gradients.
void for_each_utterance_in_lanes(size_t utterances,
                                 const std::function<void(size_t lane, size_t utterance)>& work);

}  // namespace scion
