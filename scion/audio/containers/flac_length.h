// Number of samples in a FLAC file.
#pragma once

#include <filesystem>
#include <vector>

#include "scion/audio/containers/bytes.h"

namespace scion {

/// How the header of a FLAC file has to be read so that it states the samples that there are: those
/// up to the end of the last frame, which says its place. Nothing for a right header, or for a file
/// of another format. A program that writes to a pipe leaves the number open.
/// UserError naming `path` when the last frame is not whole, or is not the last that is stated.
std::vector<Correction> check_flac_length(Bytes bytes, const std::filesystem::path& path);

}  // namespace scion
