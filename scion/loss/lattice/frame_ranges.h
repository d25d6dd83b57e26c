// Division of a batch's frames into pieces of work. Internal to scion/loss.
#pragma once

#include <vector>

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// Frames [begin, end) of one utterance.
struct FrameRange {
  int64_t utterance, begin, end;
};

/// Ranges per utterance in divide(): the same number for all (some may be empty).
inline int64_t ranges_per_utterance(const LatticeBatch& batch) {
  // At least this many pieces of work, so that a few long utterances keep all threads busy.
  constexpr int64_t least_ranges = 16;
  if (batch.size() == 0) return 1;
  return (least_ranges + batch.size() - 1) / batch.size();
}

/// Every utterance once, or in several pieces if there are few. Depends on shapes only, so that
/// sums over ranges are the same for any number of threads.
inline std::vector<FrameRange> divide(const LatticeBatch& batch) {
  const int64_t pieces = ranges_per_utterance(batch);
  std::vector<FrameRange> ranges;
  ranges.reserve(batch.size() * pieces);
  for (int64_t b = 0; b < batch.size(); ++b) {
    const int64_t frames = batch.frames_of(b);
    for (int64_t i = 0; i < pieces; ++i) {
      ranges.push_back({b, i * frames / pieces, (i + 1) * frames / pieces});
    }
  }
  return ranges;
}

}  // namespace scion
