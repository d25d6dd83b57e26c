#include "scion/data/corpora/readers/readers.h"

namespace scion {

namespace fs = std::filesystem;

fs::path find_beside(const fs::path& path, const fs::path& folder) {
  std::error_code not_there;  // also for a name that no file can have
  if (path.is_absolute() || fs::exists(folder / path, not_there)) return folder / path;
  fs::path above = fs::absolute(folder / ".", not_there).lexically_normal().parent_path();
  while (above != above.parent_path()) {
    above = above.parent_path();
    if (fs::exists(above / path, not_there)) return above / path;
  }
  return fs::exists(path, not_there) ? path : folder / path;
}

}  // namespace scion
