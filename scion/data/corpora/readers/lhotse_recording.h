// Recordings as Lhotse describes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace scion {

/// A recording: one file, or several that hold channels each.
struct LhotseRecording {
  struct Source {
    std::filesystem::path audio;
    std::vector<int64_t> channels;
  };
  std::vector<Source> sources;
  double seconds = 0;  ///< of the file
  /// Seconds of the file for a second of the recording: the factors of its Speed and Tempo.
  double time_scale = 1;
  bool has_gain = false;  ///< a transform changes the volume
  std::string fault;      ///< why it cannot be read; "" when it can
  std::string hint;
};

/// `folder`: of the file that describes it. What cannot be read is the recording's fault; keys that
/// are missing or of another type are exceptions of the JSON library.
LhotseRecording read_lhotse_recording(const nlohmann::json& object,
                                      const std::filesystem::path& folder);

}  // namespace scion
