// JSON lines: logs, lists and tables with one JSON object a line.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace scion {

/// JSON with `null` in place of NaN and Infinity outside strings, which Python's json writes.
std::string without_python_numbers(std::string_view text);

/// An object that others wrote. NaN and Infinity, which Python's json writes for missing numbers,
/// are null. UserError that begins with `where` when it is no JSON object or not UTF-8.
nlohmann::json parse_json_object(std::string_view line, const std::string& where);

/// What an exception of the JSON library says, without its code.
std::string json_fault(const std::exception& error);

/// The objects of a log, without lines that a crash cut short; none when the file is missing.
std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path);

/// The last whole line's object, read without the rest of the file; null when there is none.
nlohmann::json last_json_line(const std::filesystem::path& path);

/// Rewrites a log with the lines for which `keep` is true, byte for byte; a missing file stays
/// missing.
void keep_lines(const std::filesystem::path& path,
                const std::function<bool(const nlohmann::json& line)>& keep);

}  // namespace scion
