// One line of a manifest.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "scion/data/manifest.h"

namespace scion {

inline constexpr auto manifest_hint =
    "a line of a manifest is {\"audio_filepath\": …, \"duration\": seconds, \"text\": …}";

/// `base`: the folder that the audio's path is relative to. UserError that begins with `where` when
/// the line is invalid.
Utterance parse_manifest_line(std::string_view line, const std::filesystem::path& base,
                              const std::string& where);

/// The id of an utterance whose line gives none: the file's stem, and the offset if there is one.
std::string default_id(const std::filesystem::path& audio, const AudioPart& part);

}  // namespace scion
