#include "scion/core/files/folder_walk.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "scion/core/error.h"
#include "scion/core/log.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using FolderId = std::pair<dev_t, ino_t>;

/// Walks a tree; stops when `use` returns false.
class FolderWalk {
 public:
  explicit FolderWalk(std::function<bool(const fs::path&)> use) : use_(std::move(use)) {}

  bool walk(const fs::path& folder) {
    for (const fs::path& entry : entries_of(folder))
      if (!visit(entry)) return false;
    return true;
  }

  /// Whether the folder is reached for the first time.
  bool enter(const fs::path& folder) {
    struct stat status {};
    return ::stat(folder.c_str(), &status) == 0 &&
           entered_.emplace(status.st_dev, status.st_ino).second;
  }

 private:
  bool visit(const fs::path& entry) {
    std::error_code broken_link;
    if (!fs::is_directory(entry, broken_link)) return use_(entry);
    if (!enter(entry)) return true;
    try {
      return walk(entry);
    } catch (const UserError& error) {
      log_warning("{}: left out", error.what());
      return true;
    }
  }

  std::function<bool(const fs::path&)> use_;
  std::set<FolderId> entered_;
};

}  // namespace

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder.empty() ? "." : folder, error), end; !error && at != end;
       at.increment(error))
    if (!at->path().filename().string().starts_with('.')) entries.push_back(at->path());
  if (error)
    throw UserError(fmt::format("cannot list {}: {}", folder.string(), error.message()),
                    "check the name and the permissions");
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<fs::path> files_under(const fs::path& folder, const NameTest& wanted) {
  std::vector<fs::path> files;
  FolderWalk walk([&](const fs::path& file) {
    if (wanted(file.filename().string())) files.push_back(file);
    return true;
  });
  walk.enter(folder);
  walk.walk(folder);
  std::sort(files.begin(), files.end());
  return files;
}

bool has_file_under(const fs::path& folder, const NameTest& wanted) {
  FolderWalk walk([&](const fs::path& file) { return !wanted(file.filename().string()); });
  walk.enter(folder);
  return !walk.walk(folder);
}

}  // namespace scion
