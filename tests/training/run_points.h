// TensorBoard's points of a run, to compare runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/core/event_reader.h"

namespace scion::testing {

/// All points except the speed, which differs between runs.
inline std::vector<std::string> points_but_speed(const std::filesystem::path& run) {
  std::vector<std::string> all = read_points(run);
  std::erase_if(all, [](const std::string& point) { return point.find("speed") != point.npos; });
  return all;
}

}  // namespace scion::testing
