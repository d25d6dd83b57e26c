#include "scion/data/corpora/readers/readers.h"

namespace scion {

std::filesystem::path find_beside(const std::filesystem::path& path,
                                  const std::filesystem::path& folder) {
  std::error_code too_long;  // a name that no file can have is not there, either
  return path.is_absolute() || std::filesystem::exists(path, too_long) ? path : folder / path;
}

}  // namespace scion
