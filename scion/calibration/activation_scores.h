// How much each element of a teacher moves on real audio.
#pragma once

#include "scion/calibration/calibration_audio.h"
#include "scion/selection/plan.h"
#include "scion/selection/scores.h"

namespace scion {

/// Of the leaves that a plan of this grain has: second moments of each leaf's elements over the
/// audio, in evaluation: of the inputs of every linear map that reads the leaf (the residual stream
/// as each layer has normalised it; a head's and a channel's over all that they hold). What one map
/// reads is divided by its mean, so that maps count alike, and averaged over the maps. A leaf that
/// no map reads (queries and keys) is taken where it is written. Frequencies of positions, which
/// are the same for all audio, have no score.
LeafScores activation_scores(const Transducer& model, const CalibrationAudio& audio,
                             Grain grain = Grain::leaf);

}  // namespace scion
