// One line of a manifest.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "scion/data/manifest/manifest.h"

namespace scion {

inline constexpr auto manifest_hint =
    "a line of a manifest is {\"audio_filepath\": …, \"duration\": seconds, \"text\": …}";

/// given: a line without a duration is invalid. measured: it is 0 until the audio is decoded, and a
/// part without a duration goes up to the end of the file.
enum class Durations { given, measured };

/// `base`: the folder that the audio's path is relative to. The id is "" when the line gives none:
/// see default_ids(). A null is as if its key were missing; ids, speakers and texts may be numbers.
/// UserError that begins with `where` when the line is invalid.
Utterance parse_manifest_line(std::string_view line, const std::filesystem::path& base,
                              const std::string& where, Durations durations = Durations::given);

/// Whether a key of a manifest would change which audio is meant, and is not read. Lines with one
/// are invalid.
bool is_unread_part_key(std::string_view key);

}  // namespace scion
