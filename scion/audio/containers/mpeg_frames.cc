#include "scion/audio/containers/mpeg_frames.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "scion/audio/containers/broken_audio.h"
#include "scion/audio/containers/bytes.h"
#include "scion/audio/containers/tags.h"
#include "scion/core/error.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// The place after tags, and after empty bytes if they are wanted.
size_t after_tags(Bytes bytes, size_t at, bool empty_bytes) {
  while (at < bytes.size()) {
    if (const size_t tag = tag_bytes(bytes, at); tag > 0)
      at += tag;
    else if (empty_bytes && bytes[at] == std::byte{0})
      ++at;
    else
      break;
  }
  return at;
}

// ---- the frame with the encoder's notes -------------------------------------------------------

struct InfoFrame {
  int64_t frames = 0, bytes = 0;  ///< stated; 0: not
  int64_t delay = 0, padding = 0;
  bool has_delay = false;
};

/// The notes in a frame whose sound is silence: Xing, Info (LAME's and FFmpeg's), VBRI.
std::optional<InfoFrame> parse_info_frame(Bytes frame, const MpegHeader& header) {
  if (header.layer != 3) return std::nullopt;
  const size_t side =
      header.lower_rates ? (header.channels == 1 ? 9 : 17) : (header.channels == 1 ? 17 : 32);
  if (text_at(frame, 36, 4) == "VBRI" && frame.size() >= 54)
    return InfoFrame{int64_t(big_endian(frame, 50, 4)), int64_t(big_endian(frame, 46, 4))};
  for (const size_t checksum : {0, 2}) {
    size_t at = 4 + checksum + side;
    const std::string_view name = text_at(frame, at, 4);
    if ((name != "Xing" && name != "Info") || frame.size() < at + 8) continue;
    const uint64_t fields = big_endian(frame, at + 4, 4);
    at += 8;
    InfoFrame info;
    for (const auto& [bit, size] : {std::pair{1u, 4}, {2u, 4}, {4u, 100}, {8u, 4}}) {
      if ((fields & bit) == 0) continue;
      if (frame.size() < at + size_t(size)) return info;
      if (bit == 1) info.frames = int64_t(big_endian(frame, at, 4));
      if (bit == 2) info.bytes = int64_t(big_endian(frame, at, 4));
      at += size_t(size);
    }
    const std::string_view encoder = text_at(frame, at, 4);
    if ((encoder == "LAME" || encoder == "Lavf" || encoder == "Lavc") && frame.size() >= at + 24) {
      const auto both = int64_t(big_endian(frame, at + 21, 3));
      info.delay = both >> 12;
      info.padding = both & 0xfff;
      info.has_delay = true;
    }
    return info;
  }
  return std::nullopt;
}

// ---- walking from frame to frame --------------------------------------------------------------

class MpegWalk {
 public:
  MpegWalk(Bytes bytes, fs::path path) : bytes_(without_last_tags(bytes)), path_(std::move(path)) {}

  bool has_begin() { return next_frames(after_tags(bytes_, 0, true)).has_value(); }

  MpegStream run() {
    place_ = after_tags(bytes_, 0, true);
    find_first();
    while (step()) continue;
    check_end();
    if (info_) drop_padding();
    return std::move(stream_);
  }

 private:
  /// Header of the frame at `at`, its size known; nothing where there is no frame.
  std::optional<MpegHeader> header_at(size_t at) {
    if (at >= bytes_.size()) return std::nullopt;
    std::optional<MpegHeader> header = parse_mpeg_header(bytes_.subspan(at));
    if (header && header->bytes == 0) {
      if (free_bytes_ == 0) free_bytes_ = free_format_bytes(at, *header);
      if (free_bytes_ == 0) return std::nullopt;
      header->bytes = free_bytes_ + size_t(header->padding);
    }
    return header;
  }

  /// Size without padding of frames in free format: the distance to the next two headers.
  size_t free_format_bytes(size_t at, const MpegHeader& header) const {
    constexpr size_t smallest = 24, largest = 8192;
    const auto alike = [&](size_t place) {
      if (place >= bytes_.size()) return std::optional<MpegHeader>();
      const auto next = parse_mpeg_header(bytes_.subspan(place));
      return next && next->bytes == 0 && next->kind == header.kind ? next : std::nullopt;
    };
    const auto from = bytes_.begin() + std::ptrdiff_t(std::min(at + smallest, bytes_.size()));
    const auto to = bytes_.begin() + std::ptrdiff_t(std::min(at + largest, bytes_.size()));
    for (auto sync = from; (sync = std::find(sync, to, std::byte{0xff})) != to; ++sync) {
      const auto place = size_t(sync - bytes_.begin());
      const auto next = alike(place);
      if (!next) continue;
      const size_t usual = place - at - size_t(header.padding);
      const size_t second = place + usual + size_t(next->padding);
      if (second == bytes_.size() || alike(second)) return usual;
    }
    return 0;
  }

  /// Whether `count` headers of one kind follow each other from `at`, or fewer up to the end.
  bool frames_follow(size_t at, int count) {
    std::optional<uint32_t> kind;
    for (int i = 0; i < count; ++i) {
      const auto header = header_at(at);
      if (!header || (kind && *kind != header->kind)) return false;
      kind = header->kind;
      if (header->bytes > bytes_.size() - at) return i > 0;
      at += header->bytes;
      if (after_tags(bytes_, at, true) == bytes_.size()) return true;
    }
    return true;
  }

  /// Where frames begin, at most most_foreign_bytes from `at`.
  std::optional<size_t> next_frames(size_t at) {
    for (const size_t last = at + most_foreign_bytes; at < bytes_.size() && at <= last; ++at)
      if (frames_follow(at, 3)) return at;
    return std::nullopt;
  }

  void find_first() {
    const std::optional<size_t> first = next_frames(place_);
    if (!first)
      throw UserError("audio file does not begin with MPEG frames: " + path_.string(),
                      "copy the file again, or convert it to WAV, FLAC or Ogg Opus");
    place_ = *first;
  }

  /// Takes the frame at place_; false at the end of the frames.
  bool step() {
    const size_t begin = after_tags(bytes_, place_, false);
    const bool goes_on = begin == place_ && !frames().empty();
    place_ = begin;
    const auto header = header_at(place_);
    if (header && header->bytes <= bytes_.size() - place_ &&
        ((goes_on && header->kind == frames().back().header.kind) || frames_follow(place_, 2))) {
      take({place_, header->bytes, *header});
      place_ += header->bytes;
      return true;
    }
    if (const std::optional<size_t> next = next_frames(place_)) fail_foreign(place_, *next);
    return false;
  }

  void take(const MpegFrame& frame) {
    if (frames().empty() && !info_) {
      info_ = parse_info_frame(bytes_.subspan(frame.begin, frame.bytes), frame.header);
      info_begin_ = frame.begin;
      first_header_ = frame.header;
      if (info_) return;
      info_ = InfoFrame{};
    }
    stream_.frames.push_back(frame);
  }

  /// Refuses a stream whose last frame is not whole, or that lacks frames.
  void check_end() {
    const auto count = static_cast<int64_t>(frames().size());
    const bool has_all = info_ && info_->frames > 0 && count >= info_->frames;
    const size_t rest = bytes_.size() - place_;
    const auto last = header_at(place_);
    if (last && last->kind == first_header_.kind && last->bytes > rest)
      fail_cut_short(path_, fmt::format("its last frame has {} bytes of {}", rest, last->bytes));
    if (!last && rest > 0 && rest < 4 && bytes_[place_] == std::byte{0xff})
      fail_cut_short(path_, fmt::format("its last frame has {} bytes", rest));
    if (rest > most_foreign_bytes && !has_all) fail_foreign(place_, bytes_.size());
    // A wrong number is forgiven; a size that is wrong in the same way is none.
    if (info_ && info_->frames > count + 1 &&
        info_->bytes > static_cast<int64_t>(place_ - info_begin_ + most_foreign_bytes / 2))
      fail_cut_short(path_, fmt::format("{} frames of {}", count, info_->frames));
    if (frames().empty()) fail_without_samples(path_);
  }

  /// Sets what encoder and decoder added at the beginning and at the end.
  void drop_padding() {
    if (!info_->has_delay) return;
    constexpr int64_t decoder_delay = 528 + 1;
    stream_.skipped_begin = info_->delay + decoder_delay;
    const auto count = static_cast<int64_t>(frames().size());
    // Of a file joined to another, or with a wrong number, the end is not where the padding is.
    if (info_->frames != count) return;
    stream_.skipped_end = std::max<int64_t>(0, info_->padding - decoder_delay);
  }

  [[noreturn]] void fail_foreign(size_t begin, size_t end) const {
    double seconds = 0;
    for (const MpegFrame& frame : frames())
      seconds += double(frame.header.samples) / frame.header.sample_rate;
    fail_damaged(path_, fmt::format("{} bytes at byte {}, after {:.2f} s, are no MPEG frames",
                                    end - begin, begin, seconds));
  }

  const std::vector<MpegFrame>& frames() const { return stream_.frames; }

  Bytes bytes_;
  fs::path path_;
  size_t place_ = 0, free_bytes_ = 0, info_begin_ = 0;
  std::optional<InfoFrame> info_;
  MpegHeader first_header_;
  MpegStream stream_;
};

}  // namespace

bool is_mpeg_stream(Bytes bytes) {
  const std::string_view magic = text_at(bytes, after_tags(bytes, 0, false), 4);
  for (const char* other :
       {"RIFF", "RIFX", "RF64", "FORM", "caff", "riff", ".snd", "dns.", "NIST", "fLaC", "OggS"})
    if (magic == other) return false;
  return MpegWalk(bytes, {}).has_begin();
}

MpegStream read_mpeg_frames(Bytes bytes, const fs::path& path) {
  return MpegWalk(bytes, path).run();
}

std::optional<MpegHeader> parse_mpeg_header(Bytes bytes) {
  if (bytes.size() < 4 || bytes[0] != std::byte{0xff}) return std::nullopt;
  const auto bits = uint32_t(big_endian(bytes, 0, 4));
  const uint32_t version = bits >> 19 & 3, layer_bits = bits >> 17 & 3, rate = bits >> 10 & 3;
  const uint32_t bitrate = bits >> 12 & 15;
  if ((bits >> 21) != 0x7ff || version == 1 || layer_bits == 0 || bitrate == 15 || rate == 3)
    return std::nullopt;
  // In units of 8 kbit/s.
  constexpr std::array<std::array<int, 15>, 5> bitrates = {
      {{0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56},  // layer I, in units of 8
       {0, 4, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48},    // layer II
       {0, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40},     // layer III
       {0, 4, 6, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32},    // lower rates, layer I
       {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20}}};      // lower rates, II and III
  constexpr std::array<int, 3> rates = {44100, 48000, 32000};
  MpegHeader header;
  header.layer = 4 - static_cast<int>(layer_bits);
  header.lower_rates = version != 3;
  header.sample_rate = rates[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
  header.channels = (bits >> 6 & 3) == 3 ? 1 : 2;
  header.samples = header.layer == 1 ? 384 : header.layer == 3 && header.lower_rates ? 576 : 1152;
  header.padding = int(bits >> 9 & 1) * (header.layer == 1 ? 4 : 1);
  header.kind = bits & 0xfffe0c00;
  const size_t table = header.lower_rates ? (header.layer == 1 ? 3 : 4) : size_t(header.layer - 1);
  const int kilobits = 8 * bitrates[table][bitrate];
  if (kilobits > 0) {
    const int slots = header.samples / 8 * 1000 * kilobits / header.sample_rate;
    const int bytes = (header.layer == 1 ? slots / 4 * 4 : slots) + header.padding;
    header.bytes = static_cast<size_t>(bytes);
  }
  return header;
}

}  // namespace scion
