// Long audio files, some minutes at a time.
#pragma once

#include <functional>
#include <span>

#include "scion/audio/audio_file.h"

namespace scion {

/// Calls `take` with the samples of read_audio(path, sample_rate, part) in order, those of about
/// `piece_seconds` (a whole number) at a time; resampled ones differ by rounding. Returns the
/// number of samples. Errors as read_audio().
int64_t read_audio_in_pieces(const std::filesystem::path& path, int64_t sample_rate,
                             const AudioPart& part, int64_t piece_seconds,
                             const std::function<void(std::span<const float>)>& take);

}  // namespace scion
