// Sizes in the headers of audio files, checked against the files.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "scion/audio/containers/bytes.h"

namespace scion {

/// How the header of a WAV, RF64, W64, AIFF, AU or CAF file has to be read so that the size of the
/// samples is what there is: nothing for a sound file, or for one of another format.
/// - A size that was left open (0, or one close to the largest, as programs leave it that write to
///   a pipe or are killed) or that counts the whole file means: to the end of the file.
/// - The size of the whole file, which many programs leave wrong, does not matter.
/// UserError naming `path`: samples are missing; or more than a little follows them that is no
/// chunk, and so may be samples.
std::vector<Correction> check_data_size(Bytes bytes, const std::filesystem::path& path);

/// The MPEG stream that a WAV file holds in place of samples, if it does.
/// UserError naming `path` as above.
std::optional<Bytes> find_mpeg_in_wav(Bytes bytes, const std::filesystem::path& path);

}  // namespace scion
