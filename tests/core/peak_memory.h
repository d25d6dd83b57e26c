// How much memory this process has held.
#pragma once

#include <malloc.h>

#include <fstream>
#include <string>

namespace scion::testing {

/// Most memory that this process has held since the last call with `reset`, in bytes; 0 where the
/// system does not tell, and under the address sanitizer, which holds what was freed and a shadow.
inline int64_t peak_memory(bool reset) {
#ifdef __SANITIZE_ADDRESS__
  return 0;
#endif
  if (reset) {
    malloc_trim(0);  // what other tests have freed would be taken again without being counted
    std::ofstream("/proc/self/clear_refs") << "5";
  }
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

}  // namespace scion::testing
