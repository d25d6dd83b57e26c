#include "scion/data/corpora/layouts/unpacked_audio.h"

#include "scion/core/error.h"
#include "scion/core/files/file.h"

namespace scion {

namespace fs = std::filesystem;

UnpackedAudio::UnpackedAudio(fs::path folder) : folder_(std::move(folder)) {
  if (folder_.empty())
    throw UserError("audio in archives needs a folder to be unpacked into", "use scion prepare");
  make_directories(folder_);
}

fs::path UnpackedAudio::unpack(TarReader& archive) {
  constexpr size_t longest_name = 120;
  std::string stem = fs::path(archive.name()).stem().string();
  for (char& c : stem)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  if (stem.size() > longest_name) stem.resize(longest_name);
  if (stem.starts_with('.')) stem.front() = '_';
  const std::string extension = fs::path(archive.name()).extension().string();
  std::string name = stem + extension;
  for (size_t number = 2; !names_.insert(name).second; ++number)
    name = fmt::format("{}-{}{}", stem, number, extension);
  archive.copy_to(folder_ / name);
  bytes_ += archive.size();
  return folder_ / name;
}

std::string UnpackedAudio::remark() const {
  constexpr double megabyte = 1e6;
  return fmt::format("{} audio files ({:.1f} MB) were unpacked into the folder '{}' of the output",
                     names_.size(), static_cast<double>(bytes_) / megabyte,
                     folder_.filename().string());
}

void for_each_member(const fs::path& archive, Corpus& corpus,
                     const std::function<void(TarReader& archive)>& use) {
  try {
    for (TarReader reader(archive); reader.next();) use(reader);
  } catch (const UserError& error) {
    corpus.skipped.push_back({archive.filename().string(), error.what(), error.hint()});
  }
}

}  // namespace scion
