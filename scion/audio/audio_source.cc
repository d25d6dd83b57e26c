#include "scion/audio/audio_source.h"

#include "scion/audio/containers/flac_length.h"
#include "scion/audio/containers/mpeg_frames.h"
#include "scion/audio/containers/ogg_links.h"
#include "scion/audio/containers/sizes.h"
#include "scion/audio/mpeg_decoder.h"
#include "scion/audio/sound_file.h"
#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

MappedFile map_audio(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    throw UserError("audio file is missing: " + path.string(),
                    "check audio_filepath: paths are relative to the manifest");
  if (!fs::is_regular_file(path, ignored))
    throw UserError("not an audio file: " + path.string(), "name a file, not a folder");
  MappedFile file(path);
  if (file.bytes().empty())
    throw UserError("audio file is empty (0 bytes): " + path.string(), "copy the file again");
  refuse_lfs_pointer(text_at(file.bytes(), 0, std::min<size_t>(64, file.bytes().size())), path);
  return file;
}

/// Frames of an MPEG stream from one change of rate or channels to the next.
AudioSection mpeg_section(Bytes file, std::vector<MpegFrame> frames, int64_t skipped_begin,
                          int64_t skipped_end, const fs::path& path) {
  const MpegHeader header = frames[0].header;
  const auto all = static_cast<int64_t>(frames.size()) * header.samples;
  AudioSection section{header.sample_rate,
                       header.channels,
                       std::max<int64_t>(0, all - skipped_begin - skipped_end),
                       {}};
  section.decode = [file, frames = std::move(frames), skipped_begin, header, path](
                       int64_t begin, int64_t end, const TakeSamples& take) {
    begin += skipped_begin;
    end += skipped_begin;
    int64_t place = begin / header.samples * header.samples;
    decode_mpeg(file, frames, size_t(begin / header.samples),
                size_t((end + header.samples - 1) / header.samples), path,
                [&](std::span<const float> samples) {
                  const int64_t first = std::max<int64_t>(0, begin - place);
                  const int64_t last = std::min<int64_t>(header.samples, end - place);
                  take(samples.subspan(size_t(first * header.channels),
                                       size_t((last - first) * header.channels)));
                  place += header.samples;
                });
  };
  return section;
}

std::vector<AudioSection> mpeg_sections(Bytes file, const fs::path& path) {
  MpegStream stream = read_mpeg_frames(file, path);
  std::vector<AudioSection> sections;
  for (auto begin = stream.frames.begin(); begin != stream.frames.end();) {
    const MpegHeader& first = begin->header;
    const auto end = std::find_if(begin, stream.frames.end(), [&](const MpegFrame& frame) {
      return frame.header.kind != first.kind || frame.header.channels != first.channels;
    });
    sections.push_back(mpeg_section(file, {begin, end}, sections.empty() ? stream.skipped_begin : 0,
                                    end == stream.frames.end() ? stream.skipped_end : 0, path));
    begin = end;
  }
  return sections;
}

std::vector<AudioSection> sections_of(Bytes file, const fs::path& path) {
  if (is_mpeg_stream(file)) return mpeg_sections(file, path);
  if (const std::optional<Bytes> mpeg = find_mpeg_in_wav(file, path))
    return mpeg_sections(*mpeg, path);
  std::vector<AudioSection> sections;
  if (is_ogg(file)) {
    for (const OggLink& link : read_ogg_links(file, path))
      sections.push_back(open_sound(file.subspan(link.begin, link.end - link.begin), {}, path));
    return sections;
  }
  std::vector<Correction> corrections = check_data_size(file, path);
  if (corrections.empty()) corrections = check_flac_length(file, path);
  sections.push_back(open_sound(file, std::move(corrections), path));
  return sections;
}

}  // namespace

double AudioSource::seconds() const {
  double seconds = 0;
  for (const AudioSection& section : sections) seconds += section.seconds();
  return seconds;
}

AudioSource open_audio(const fs::path& path) {
  AudioSource source{map_audio(path), {}};
  source.sections = sections_of(source.file.bytes(), path);
  return source;
}

}  // namespace scion
