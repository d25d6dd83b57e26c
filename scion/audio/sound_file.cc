#include "scion/audio/sound_file.h"

#include <sndfile.h>

#include <cstring>
#include <limits>
#include <memory>
#include <shared_mutex>

#include "scion/audio/containers/broken_audio.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// Bytes in memory, for libsndfile to read.
struct SoundBytes {
  Bytes bytes;
  std::vector<Correction> corrections;
  sf_count_t place = 0;

  sf_count_t size() const { return static_cast<sf_count_t>(bytes.size()); }

  sf_count_t seek(sf_count_t offset, int whence) {
    const sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? place : size();
    place = std::clamp<sf_count_t>(base + offset, 0, size());
    return place;
  }

  sf_count_t read(void* out, sf_count_t count) {
    count = std::clamp<sf_count_t>(count, 0, size() - place);
    if (count == 0) return 0;
    auto* const to = static_cast<char*>(out);
    std::memcpy(to, bytes.data() + place, static_cast<size_t>(count));
    for (const Correction& correction : corrections)
      for (size_t i = 0; i < correction.bytes.size(); ++i) {
        const sf_count_t at = static_cast<sf_count_t>(correction.at + i) - place;
        if (at >= 0 && at < count) to[at] = correction.bytes[i];
      }
    place += count;
    return count;
  }
};

SF_VIRTUAL_IO sound_bytes_io() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* data) { return static_cast<SoundBytes*>(data)->size(); };
  io.seek = [](sf_count_t offset, int whence, void* data) {
    return static_cast<SoundBytes*>(data)->seek(offset, whence);
  };
  io.read = [](void* out, sf_count_t count, void* data) {
    return static_cast<SoundBytes*>(data)->read(out, count);
  };
  io.write = [](const void*, sf_count_t, void*) { return sf_count_t(0); };
  io.tell = [](void* data) { return static_cast<SoundBytes*>(data)->place; };
  return io;
}

struct CloseSoundFile {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

/// An open file, with the bytes that libsndfile reads it from.
struct SoundFile {
  SoundBytes source;
  SF_INFO info{};
  std::unique_ptr<SNDFILE, CloseSoundFile> file;
  sf_count_t place = 0;  // frames
};

/// What to do about a file that libsndfile does not read.
std::string conversion_hint(Bytes bytes) {
  const std::string_view head = text_at(bytes, 0, std::min<size_t>(bytes.size(), 1024));
  if (head.starts_with("NIST_1A") && head.find("shorten") != std::string_view::npos)
    return "convert it: sph2pipe -f wav OLD.sph NEW.wav";
  return "convert it to WAV, FLAC or Ogg Opus";
}

std::shared_ptr<SoundFile> open_sound_file(Bytes bytes, std::vector<Correction> corrections,
                                           const fs::path& path) {
  // libsndfile keeps the reason why a file does not open in one place for the whole process, where
  // every opening in another thread overwrites it: a file that fails is opened again, alone.
  static std::shared_mutex openings;
  static SF_VIRTUAL_IO io = sound_bytes_io();
  auto sound = std::make_shared<SoundFile>();
  sound->source = {bytes, std::move(corrections)};
  const auto open = [&] {
    sound->source.place = 0;
    sound->info = {};
    sound->file.reset(sf_open_virtual(&io, SFM_READ, &sound->info, &sound->source));
    return sound->file != nullptr;
  };
  if (const std::shared_lock among_others(openings); open()) return sound;
  const std::unique_lock alone(openings);
  if (open()) return sound;
  if (sf_error(nullptr) == SF_ERR_MALFORMED_FILE)
    fail_cut_short(path, "the format's structure is broken");
  throw UserError(fmt::format("cannot read audio file {}: {}", path.string(), sf_strerror(nullptr)),
                  conversion_hint(bytes));
}

/// Goes to a frame; what cannot be sought in is read up to there.
void go_to(SoundFile& sound, sf_count_t frame, std::vector<float>& block) {
  if (frame == sound.place) return;
  if (sound.info.seekable && sf_seek(sound.file.get(), frame, SEEK_SET) == frame) {
    sound.place = frame;
    return;
  }
  const auto most = static_cast<sf_count_t>(block.size()) / sound.info.channels;
  while (sound.place < frame) {
    const sf_count_t count =
        sf_readf_float(sound.file.get(), block.data(), std::min(frame - sound.place, most));
    if (count <= 0) return;
    sound.place += count;
  }
}

/// Decodes [begin, end) and returns the frames that there were.
sf_count_t decode_sound(SoundFile& sound, sf_count_t begin, sf_count_t end,
                        const TakeSamples& take) {
  constexpr sf_count_t block_frames = 1 << 15;
  const auto channels = static_cast<size_t>(sound.info.channels);
  std::vector<float> block(size_t(std::min(block_frames, end - begin)) * channels);
  go_to(sound, begin, block);
  sf_count_t done = 0;
  while (begin + done < end) {
    const sf_count_t count =
        sf_readf_float(sound.file.get(), block.data(), std::min(end - begin - done, block_frames));
    if (count <= 0) break;
    done += count;
    sound.place += count;
    take(std::span(block).first(size_t(count) * channels));
  }
  return done;
}

}  // namespace

AudioSection open_sound(Bytes bytes, std::vector<Correction> corrections, const fs::path& path) {
  constexpr sf_count_t unknown = std::numeric_limits<sf_count_t>::max();
  std::shared_ptr<SoundFile> sound = open_sound_file(bytes, corrections, path);
  sf_count_t frames = sound->info.frames;
  if (frames == unknown) {
    frames = decode_sound(*sound, 0, unknown, [](std::span<const float>) {});
    sound = open_sound_file(bytes, std::move(corrections), path);
  }
  AudioSection section{sound->info.samplerate, sound->info.channels, frames, {}};
  section.decode = [sound, path](int64_t begin, int64_t end, const TakeSamples& take) {
    const sf_count_t done = decode_sound(*sound, begin, end, take);
    if (done < end - begin)
      fail_cut_short(path, fmt::format("{} samples of {}", done, end - begin));
    if (sf_error(sound->file.get()) != SF_ERR_NO_ERROR)
      fail_damaged(path, sf_strerror(sound->file.get()));
  };
  return section;
}

}  // namespace scion
