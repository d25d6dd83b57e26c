// The weights of a run that an evaluation measures.
#pragma once

#include "scion/core/option_words.h"

namespace scion {

/// Those after the last update, or their average over epochs.
enum class Weights { raw, averaged };
/// The words of results.jsonl and of recipes.
template <>
inline constexpr std::array option_words<Weights>{"raw", "averaged"};

}  // namespace scion
