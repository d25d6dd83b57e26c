// Commands in place of files, as Kaldi's wav.scp has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scion {

/// The file that a command passes on.
struct PipedFile {
  std::string path;
  int64_t channel = -1;  ///< counted from 0; -1: all
  bool operator==(const PipedFile&) const = default;
};

/// What a command that ends in `|` reads, where it decodes one file and changes nothing:
/// `flac -c -d -s F |`, `sph2pipe -f wav [-p] [-c N] F |`, `sox F -t wav - |`, `cat F |`, with the
/// program's path or without. nullopt for any other. Nothing is run.
std::optional<PipedFile> piped_file(std::string_view command);

}  // namespace scion
