// The frames of an MPEG audio stream: MP3, MP2, MP1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace scion {

/// A frame's header (ISO/IEC 11172-3, 13818-3, and the extension to lower rates called 2.5).
struct MpegHeader {
  int layer = 0;
  bool lower_rates = false;  ///< MPEG 2 and 2.5
  int sample_rate = 0, channels = 0;
  int samples = 0;    ///< of each channel
  size_t bytes = 0;   ///< of the frame, header included; 0: free format, the header does not say
  int padding = 0;    ///< bytes of it beyond the usual size
  uint32_t kind = 0;  ///< bits that stay as they are within a stream: version, layer, rate
  bool operator==(const MpegHeader&) const = default;
};

/// The header at the beginning of `bytes`, if there is one.
std::optional<MpegHeader> parse_mpeg_header(std::span<const std::byte> bytes);

struct MpegFrame {
  size_t begin = 0, bytes = 0;  ///< place in the file
  MpegHeader header;
};

/// What decoding gives: the samples of `frames`, less what the encoder added.
struct MpegStream {
  std::vector<MpegFrame> frames;  ///< without the Xing, Info or VBRI frame, which has no sound
  int64_t skipped_begin = 0, skipped_end = 0;  ///< samples to drop at either end
};

/// Whether the file is an MPEG stream: after tags, and no more than a few other bytes, there are
/// frames, one after the other.
bool is_mpeg_stream(std::span<const std::byte> bytes);

/// Every frame to the end of the file, whatever its Xing frame says of their number, with tags
/// (ID3v1, ID3v2, APE, Lyrics3) left out wherever they are. Encoder delay and padding are those of
/// LAME's tag, as in ffmpeg. A few bytes before the first and after the last frame that are none
/// are left out as well.
/// UserError naming `path`: no frames, a last frame that is not whole, bytes between frames that
/// are none.
MpegStream read_mpeg_frames(std::span<const std::byte> bytes, const std::filesystem::path& path);

}  // namespace scion
