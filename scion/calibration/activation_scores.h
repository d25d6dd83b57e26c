// Scores of a teacher's elements by their activations on audio.
#pragma once

#include "scion/calibration/calibration_audio.h"
#include "scion/selection/plan.h"
#include "scion/selection/scores.h"

namespace scion {

/// Scores of the leaves that a plan of this grain has. The score of an element is its second moment
/// over the audio, in evaluation mode, taken from the inputs of every linear layer that reads the
/// leaf: the residual stream as normalised by each layer; a head or a channel as the mean over all
/// its values. The moments of one layer are divided by their mean, so that all layers count alike,
/// and averaged over the layers. A leaf that no layer reads (queries and keys) is scored by the
/// outputs of the layers that write it. Position frequencies, the same for all audio, have no
/// score.
LeafScores activation_scores(const Transducer& model, const CalibrationAudio& audio,
                             Grain grain = Grain::leaf);

}  // namespace scion
