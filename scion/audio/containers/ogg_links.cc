#include "scion/audio/containers/ogg_links.h"

#include <array>
#include <map>

#include "scion/audio/containers/broken_audio.h"
#include "scion/audio/containers/checksums.h"
#include "scion/audio/containers/tags.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using Check32 = CyclicCheck<32, 0x04c11db7>;

constexpr size_t header_bytes = 27;

struct OggPage {
  size_t begin = 0, end = 0;
  bool is_first = false, is_last = false;  ///< of its stream
  uint64_t stream = 0, number = 0;
};

bool has_right_checksum(Bytes page) {
  constexpr size_t at = 22;
  constexpr std::array<std::byte, 4> zeros{};
  uint32_t check = Check32::of(page.first(at));
  check = Check32::of(zeros, check);
  check = Check32::of(page.subspan(at + 4), check);
  return check == little_endian(page, at, 4);
}

class OggWalk {
 public:
  OggWalk(Bytes bytes, const fs::path& path) : bytes_(without_last_tags(bytes)), path_(path) {}

  std::vector<OggLink> run() {
    for (size_t at = 0; at < bytes_.size();) {
      if (text_at(bytes_, at, 4) != "OggS") {
        refuse_foreign(at);
        break;
      }
      const OggPage page = page_at(at);
      take(page);
      at = page.end;
    }
    if (!open_.empty())
      throw UserError(
          fmt::format("audio file is cut short: {} (its Ogg stream has no end)", path_.string()),
          "copy or convert the file again; if it is all there is, "
          "'ffmpeg -i OLD -c copy NEW' ends it");
    return std::move(links_);
  }

 private:
  OggPage page_at(size_t at) const {
    const size_t left = bytes_.size() - at;
    const size_t segments = left < header_bytes ? 0 : size_t(bytes_[at + 26]);
    size_t size = header_bytes + segments;
    if (left >= size)
      for (size_t i = 0; i < segments; ++i) size += size_t(bytes_[at + header_bytes + i]);
    if (left < size) fail_cut_short(path_, "its last Ogg page is not whole");
    const auto flags = uint32_t(bytes_[at + 5]);
    if (!has_right_checksum(bytes_.subspan(at, size)))
      fail_damaged(path_, fmt::format("the Ogg page at byte {} has a wrong checksum", at));
    return {at,
            at + size,
            (flags & 2) != 0,
            (flags & 4) != 0,
            little_endian(bytes_, at + 14, 4),
            little_endian(bytes_, at + 18, 4)};
  }

  void take(const OggPage& page) {
    if (page.is_first) {
      if (open_.empty()) links_.push_back({page.begin, page.end});
    } else {
      const auto found = open_.find(page.stream);
      if (found == open_.end() || page.number != found->second + 1)
        fail_damaged(path_, fmt::format("an Ogg page is missing before byte {}", page.begin));
    }
    open_[page.stream] = page.number;
    if (page.is_last) open_.erase(page.stream);
    links_.back().end = page.end;
  }

  /// A little that is no page may follow the last one.
  void refuse_foreign(size_t at) const {
    const std::string_view rest = text_at(bytes_, at, bytes_.size() - at);
    const bool is_cut = std::string_view("OggS").starts_with(rest);
    if (is_cut) fail_cut_short(path_, "its last Ogg page is not whole");
    if (rest.size() > most_foreign_bytes || rest.find("OggS") != std::string_view::npos)
      fail_damaged(path_, fmt::format("{} bytes at byte {} are no Ogg page", rest.size(), at));
  }

  Bytes bytes_;
  const fs::path& path_;
  std::vector<OggLink> links_;
  std::map<uint64_t, uint64_t> open_;  // streams, and the number of their last page
};

}  // namespace

bool is_ogg(Bytes bytes) { return text_at(bytes, 0, 4) == "OggS"; }

std::vector<OggLink> read_ogg_links(Bytes bytes, const fs::path& path) {
  return OggWalk(bytes, path).run();
}

}  // namespace scion
