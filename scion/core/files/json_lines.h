// JSON lines: logs with one JSON object a line.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace scion {

/// The objects of a log, without lines that a crash cut short; none when the file is missing.
std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path);

/// The last whole line's object, read without the rest of the file; null when there is none.
nlohmann::json last_json_line(const std::filesystem::path& path);

/// Rewrites a log with the lines for which `keep` is true, byte for byte; a missing file stays
/// missing.
void keep_lines(const std::filesystem::path& path,
                const std::function<bool(const nlohmann::json& line)>& keep);

}  // namespace scion
