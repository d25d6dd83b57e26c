// Files that Git LFS has not fetched yet.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace scion {

/// UserError naming `path` when its bytes are a pointer that Git LFS puts in place of a large file.
void refuse_lfs_pointer(const std::filesystem::path& path, std::string_view bytes);
void refuse_lfs_pointer(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace scion
