// Folders that several processes need at the same time: one makes them, the others wait.
#pragma once

#include <filesystem>
#include <functional>

namespace scion {

/// Returns when `directory` exists and is whole. If it is absent, `make` fills a temporary folder,
/// which is renamed to `directory` at the end. While another process makes it, this one waits; when
/// that process dies or fails, this one does the work itself.
void make_once(const std::filesystem::path& directory,
               const std::function<void(const std::filesystem::path& temporary)>& make);

}  // namespace scion
