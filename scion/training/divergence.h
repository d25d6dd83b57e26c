// Diagnosis of a training run whose loss or gradient is not finite.
#pragma once

#include <cstdint>
#include <string>

#include "scion/data/batch.h"
#include "scion/model/transducer.h"

namespace scion {

/// Repeats the encoder's forward pass on `batch` and throws a Failure that names `what` ("the
/// loss", "the gradient"), the update, the first layer whose output is not finite, and the
/// utterances. `context` is one for the same forward pass as in training.
[[noreturn]] void report_divergence(const Transducer& model, const Batch& batch,
                                    ForwardContext context, const std::string& what,
                                    int64_t update);

}  // namespace scion
