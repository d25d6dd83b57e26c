// Ids of audio files, from their names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace scion {

/// One id for each path, no two equal: the file's name without its extension, preceded by as many
/// of its folders as tell it from the others (`a/0001`, `b/0001`). The extension stays where files
/// differ in nothing else (`x.flac`, `x.wav`); a path that comes again is numbered (`x-2`).
///
/// Every format can hold the ids: bytes that are not UTF-8 become U+FFFD; white space, control
/// characters, parentheses and semicolons become `_`.
std::vector<std::string> unique_ids(const std::vector<std::filesystem::path>& paths);

}  // namespace scion
