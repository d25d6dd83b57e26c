#include "scion/core/files/git_lfs.h"

#include "scion/core/error.h"

namespace scion {

void refuse_lfs_pointer(const std::filesystem::path& path, std::string_view bytes) {
  if (bytes.starts_with("version https://git-lfs"))
    throw UserError(path.string() + " is a Git LFS pointer, not the file itself",
                    "fetch the file: git lfs pull");
}

void refuse_lfs_pointer(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  refuse_lfs_pointer(path,
                     std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace scion
