// What lies in folders: hidden names are left out, links are followed, circles are not.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace scion {

using NameTest = std::function<bool(const std::string& name)>;

/// The files in the tree under `folder` whose names pass, sorted. Names that begin with a dot
/// (macOS's `._x`, editors' backups) are left out, folders too. Links are followed; a folder that
/// is reached in several ways is read once. A folder inside that cannot be listed is warned about.
/// UserError when `folder` itself cannot be.
std::vector<std::filesystem::path> files_under(const std::filesystem::path& folder,
                                               const NameTest& wanted);

/// Whether there is such a file.
bool has_file_under(const std::filesystem::path& folder, const NameTest& wanted);

/// The files and folders directly in `folder`, sorted, without hidden ones. UserError when it
/// cannot be listed.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

}  // namespace scion
