#include "scion/core/make_once.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <system_error>

#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/core/log.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// Holds an flock, which ends with the process that holds it, however that ends.
class WaitingLock {
 public:
  explicit WaitingLock(const fs::path& path)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) fail(path);
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    log_info("waiting for another process that makes {}", path.stem().string());
    while (::flock(descriptor_, LOCK_EX) != 0)
      if (errno != EINTR) fail(path);
  }
  ~WaitingLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  WaitingLock(const WaitingLock&) = delete;
  WaitingLock& operator=(const WaitingLock&) = delete;

 private:
  void fail(const fs::path& path) {
    const std::string reason = std::generic_category().message(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw Failure(fmt::format("cannot lock {}: {}", path.string(), reason),
                  "choose a folder that you may write to");
  }
  int descriptor_;
};

}  // namespace

void make_once(const fs::path& directory, const std::function<void(const fs::path&)>& make) {
  if (fs::exists(directory)) return;
  const fs::path parent = fs::absolute(directory).parent_path();
  make_directories(parent);
  const WaitingLock lock(parent / (directory.filename().string() + ".lock"));
  if (fs::exists(directory)) return;
  PendingDirectory pending(directory);
  make(pending.path());
  pending.commit();
}

}  // namespace scion
