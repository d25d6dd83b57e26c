// Samples of an MPEG stream's frames.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>

#include "scion/audio/containers/mpeg_frames.h"

namespace scion {

/// Decodes frames of one rate and number of channels with libmpg123, each to all of its samples.
/// `take` gets those of the frames [begin, end), interleaved, frame by frame. The frames before are
/// decoded as well: what the decoder remembers of them goes into every later sample's rounding.
/// UserError naming `path` when the decoder refuses a frame.
void decode_mpeg(std::span<const std::byte> file, std::span<const MpegFrame> frames, size_t begin,
                 size_t end, const std::filesystem::path& path,
                 const std::function<void(std::span<const float>)>& take);

}  // namespace scion
