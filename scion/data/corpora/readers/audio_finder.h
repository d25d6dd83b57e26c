// Audio files by the names that tables and transcripts give.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>

namespace scion {

/// Whether the name ends as those of audio files do (.wav, .flac, .opus, …, in any case).
bool is_audio_name(const std::filesystem::path& path);

/// The file whose name is that of `stem` with the first of the endings for which there is one;
/// empty: there is none.
std::filesystem::path file_with_ending(const std::filesystem::path& stem,
                                       std::initializer_list<const char*> endings);

/// Finds the files of one corpus, most of which are found alike.
class AudioFinder {
 public:
  explicit AudioFinder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The file `name`, with or without its extension, in `folder`, or else in its subfolder wavs,
  /// wav, sph, audio or clips, or else where find_beside() finds it. nullopt when there is none.
  std::optional<std::filesystem::path> find(const std::string& name);
  /// The same; `folder`/`name` when there is none, which whatever reads it reports.
  std::filesystem::path find_or_name(const std::string& name);

 private:
  std::filesystem::path folder_;
  std::string found_in_, extension_;  // of the file found last
};

}  // namespace scion
