#include "scion/audio/containers/flac_length.h"

#include <optional>

#include "scion/audio/containers/broken_audio.h"
#include "scion/audio/containers/checksums.h"
#include "scion/audio/containers/tags.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Check8 = CyclicCheck<8, 0x07>;
using Check16 = CyclicCheck<16, 0x8005>;

constexpr uint64_t total_mask = (uint64_t(1) << 36) - 1;

/// What the STREAMINFO block says (RFC 9639, section 8.2).
struct FlacHeader {
  size_t total_at = 0;  ///< place of the 8 bytes that end with the number of samples
  size_t frames_at = 0;
  uint64_t smallest_block = 0, largest_block = 0, total = 0;
  size_t largest_frame = 0;  ///< bytes
};

std::optional<FlacHeader> parse_header(Bytes bytes) {
  size_t at = tag_bytes(bytes, 0);
  if (text_at(bytes, at, 4) != "fLaC" || bytes.size() < at + 8 + 34) return std::nullopt;
  at += 4;
  if ((uint32_t(bytes[at]) & 0x7f) != 0) return std::nullopt;
  FlacHeader header;
  header.smallest_block = big_endian(bytes, at + 4, 2);
  header.largest_block = big_endian(bytes, at + 6, 2);
  header.total_at = at + 4 + 10;
  const uint64_t fields = big_endian(bytes, header.total_at, 8);
  header.total = fields & total_mask;
  const uint64_t channels = (fields >> 41 & 7) + 1, bits = (fields >> 36 & 31) + 1;
  header.largest_frame = big_endian(bytes, at + 11, 3);
  if (header.largest_frame == 0)
    header.largest_frame = header.largest_block * channels * (bits / 8 + 2) + 64;
  for (bool is_last = false; !is_last;) {
    if (bytes.size() < at + 4) return std::nullopt;
    is_last = (uint32_t(bytes[at]) & 0x80) != 0;
    at += 4 + big_endian(bytes, at + 1, 3);
  }
  header.frames_at = at;
  return header;
}

/// The number coded as UTF-8 codes characters, of up to 36 bits; moves `at` past it.
std::optional<uint64_t> coded_number(Bytes bytes, size_t& at) {
  const auto first = uint32_t(bytes[at++]);
  int more = 0;
  while (more < 7 && (first << more & 0x80) != 0) ++more;
  if (more == 0) return first;
  if (more == 1 || more > 7) return std::nullopt;
  uint64_t value = first & (0x7fu >> more);
  for (int i = 1; i < more; ++i, ++at) {
    if ((uint32_t(bytes[at]) & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (uint32_t(bytes[at]) & 0x3f);
  }
  return value;
}

/// The sample after a frame that begins at `at`, by its header (RFC 9639, section 9.1).
std::optional<uint64_t> end_by_frame_header(Bytes bytes, size_t at, const FlacHeader& header) {
  constexpr size_t longest_header = 16;
  if (bytes.size() - at < longest_header || bytes[at] != std::byte{0xff}) return std::nullopt;
  const auto second = uint32_t(bytes[at + 1]), third = uint32_t(bytes[at + 2]);
  if ((second & 0xfe) != 0xf8) return std::nullopt;
  const uint32_t block_code = third >> 4, rate_code = third & 15;
  size_t place = at + 4;
  const std::optional<uint64_t> number = coded_number(bytes, place);
  if (!number || block_code == 0 || rate_code == 15) return std::nullopt;
  uint64_t block = block_code == 1   ? 192
                   : block_code < 6  ? uint64_t(576) << (block_code - 2)
                   : block_code >= 8 ? uint64_t(256) << (block_code - 8)
                                     : 0;
  if (block == 0) {
    const size_t size = block_code - 5;
    block = big_endian(bytes, place, size) + 1;
    place += size;
  }
  place += rate_code == 12 ? 1 : rate_code > 12 ? 2 : 0;
  if (Check8::of(bytes.subspan(at, place - at)) != uint32_t(bytes[place])) return std::nullopt;
  const bool counts_samples = (second & 1) != 0;
  return (counts_samples ? *number : *number * header.smallest_block) + block;
}

/// The sample after the last frame; nothing when the file does not end with a whole frame.
std::optional<uint64_t> last_sample(Bytes bytes, const FlacHeader& header) {
  const size_t size = bytes.size();
  const size_t earliest = std::max(header.frames_at, size - std::min(size, header.largest_frame));
  for (size_t at = size; at-- > earliest;) {
    const std::optional<uint64_t> end = end_by_frame_header(bytes, at, header);
    if (end && Check16::of(bytes.subspan(at)) == 0) return end;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Correction> check_flac_length(Bytes bytes, const fs::path& path) {
  const std::optional<FlacHeader> header = parse_header(bytes);
  if (!header) return {};
  const Bytes audio = without_last_tags(bytes);
  if (header->frames_at >= audio.size()) {
    if (header->total > 0 || header->frames_at > audio.size())
      fail_cut_short(path, "its frames are missing");
    return {};
  }
  const std::optional<uint64_t> end = last_sample(audio, *header);
  // Where something unknown follows the frames, decoding shows whether they are all there.
  if (!end && header->total > 0) return {};
  if (!end) fail_cut_short(path, "its last frame is not whole");
  if (*end < header->total)
    fail_cut_short(path, fmt::format("{} samples of {}", *end, header->total));
  if (*end == header->total) return {};
  std::string written;
  const uint64_t fields =
      (big_endian(bytes, header->total_at, 8) & ~total_mask) | (*end & total_mask);
  for (int i = 7; i >= 0; --i) written.push_back(static_cast<char>(fields >> (8 * i) & 0xff));
  return {{header->total_at, written}};
}

}  // namespace scion
