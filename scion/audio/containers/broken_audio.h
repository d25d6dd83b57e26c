// Errors of audio files that are not whole.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>

#include "scion/core/error.h"

namespace scion {

[[noreturn]] inline void fail_cut_short(const std::filesystem::path& path,
                                        const std::string& detail) {
  throw UserError(fmt::format("audio file is cut short: {} ({})", path.string(), detail),
                  "copy or convert the file again");
}

[[noreturn]] inline void fail_without_samples(const std::filesystem::path& path) {
  throw UserError("audio file has no samples: " + path.string(), "leave it out of the manifest");
}

[[noreturn]] inline void fail_damaged(const std::filesystem::path& path,
                                      const std::string& detail) {
  throw UserError(fmt::format("audio file is damaged: {} ({})", path.string(), detail),
                  "copy the file again, or convert what is left of it with ffmpeg");
}

}  // namespace scion
