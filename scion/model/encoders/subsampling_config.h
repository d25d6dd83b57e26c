// Kinds and sizes of the convolutional subsampling.
#pragma once

#include <cstdint>

#include "scion/core/option_words.h"

namespace scion {

/// automatic: depthwise_striding for factor 8, convolutions of whole frames for 4 and 6.
enum class SubsamplingKind { automatic, striding, depthwise_striding };
template <>
inline constexpr std::array option_words<SubsamplingKind>{"auto", "striding", "depthwise_striding"};

struct SubsamplingConfig {
  int64_t factor = 4;  ///< feature frames per encoder frame
  int64_t channels = 8;
  SubsamplingKind kind = SubsamplingKind::automatic;
  bool causal = false;  ///< striding kinds: an output sees no frame after its first
};

}  // namespace scion
