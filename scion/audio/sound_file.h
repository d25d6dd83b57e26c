// Sections of audio files that libsndfile decodes.
#pragma once

#include <filesystem>
#include <vector>

#include "scion/audio/audio_source.h"
#include "scion/audio/containers/bytes.h"

namespace scion {

/// The file's bytes, which must outlive the section, with `corrections` of its header.
/// UserError naming `path`: libsndfile cannot read it, it has no samples; when decoding: it ends
/// early, or the decoder found a fault.
AudioSection open_sound(Bytes bytes, std::vector<Correction> corrections,
                        const std::filesystem::path& path);

}  // namespace scion
