// Folders that several processes may want at once: one makes them, the others wait.
#pragma once

#include <filesystem>
#include <functional>

namespace scion {

/// Returns when `directory` exists and is whole. If it is absent, `make` fills a temporary folder,
/// which is renamed to `directory` at the end. A process that finds another one at it waits; when
/// that one dies or fails, it does the work itself.
void make_once(const std::filesystem::path& directory,
               const std::function<void(const std::filesystem::path& temporary)>& make);

}  // namespace scion
