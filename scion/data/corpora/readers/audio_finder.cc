#include "scion/data/corpora/readers/audio_finder.h"

#include <algorithm>
#include <array>

#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr std::array audio_extensions{".wav", ".flac", ".opus", ".mp3",  ".ogg",
                                      ".sph", ".oga",  ".w64",  ".aiff", ".au"};

std::optional<fs::path> file_at(const fs::path& path) {
  std::error_code too_long;  // a name that no file can have is not there, either
  if (fs::is_regular_file(path, too_long)) return path;
  return std::nullopt;
}

}  // namespace

bool is_audio_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::find(audio_extensions.begin(), audio_extensions.end(), extension) !=
         audio_extensions.end();
}

fs::path file_with_ending(const fs::path& stem, std::initializer_list<const char*> endings) {
  for (const char* ending : endings)
    if (auto file = file_at(stem.string() + ending)) return *file;
  return "";
}

std::optional<fs::path> AudioFinder::find(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (auto file = file_at(folder_ / found_in_ / (name + extension_))) return file;
  for (const char* subfolder : {"", "wavs", "wav", "sph", "audio", "clips"}) {
    const fs::path path = folder_ / subfolder / name;
    if (auto file = file_at(path)) {
      std::tie(found_in_, extension_) = std::pair(subfolder, "");
      return file;
    }
    if (is_audio_name(name)) continue;
    for (const char* extension : audio_extensions)
      if (auto file = file_at(path.string() + extension)) {
        std::tie(found_in_, extension_) = std::pair(subfolder, extension);
        return file;
      }
  }
  return file_at(find_beside(name, folder_));
}

fs::path AudioFinder::find_or_name(const std::string& name) {
  return find(name).value_or(folder_ / name);
}

}  // namespace scion
