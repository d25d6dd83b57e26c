// PKWARE's APPNOTE.TXT 6.3 describes the format.
#include "scion/interchange/zip_archive.h"

#include "scion/core/error.h"
#include "scion/core/files/protobuf.h"

namespace scion {
namespace {

constexpr std::string_view local_mark = "PK\x03\x04", entry_mark = "PK\x01\x02",
                           end_mark = "PK\x05\x06", end64_mark = "PK\x06\x06",
                           locator_mark = "PK\x06\x07";
constexpr uint64_t end_size = 22, locator_size = 20, end64_size = 56, entry_size = 46,
                   local_size = 30;
constexpr uint32_t elsewhere32 = 0xffffffff;  // the number is in a zip64 record
constexpr uint16_t elsewhere16 = 0xffff;

template <class Number>
Number number_at(std::string_view bytes, uint64_t place) {
  return protobuf::from_little_endian<Number>(bytes.substr(place));
}

// The numbers of a zip64 extra field, in order; empty where there is none.
std::string_view zip64_numbers(std::string_view extra) {
  while (extra.size() >= 4) {
    const auto id = number_at<uint16_t>(extra, 0), size = number_at<uint16_t>(extra, 2);
    extra.remove_prefix(4);
    if (size > extra.size()) return {};
    if (id == 1) return extra.substr(0, size);
    extra.remove_prefix(size);
  }
  return {};
}

}  // namespace

bool ZipArchive::is_zip(std::string_view bytes) { return bytes.starts_with(local_mark); }

void ZipArchive::fail(const std::string& what) const {
  throw UserError(fmt::format("{}: a broken zip archive: {}", name_, what),
                  "copy or download the file again");
}

std::string_view ZipArchive::part(uint64_t begin, uint64_t size) const {
  if (begin > bytes_.size() || size > bytes_.size() - begin)
    fail(fmt::format("{} bytes at {} are wanted, and the file has {}", size, begin, bytes_.size()));
  return bytes_.substr(begin, size);
}

ZipArchive::ZipArchive(std::string_view bytes, std::string name)
    : bytes_(bytes), name_(std::move(name)) {
  const Directory directory = find_directory();
  std::string_view rest = part(directory.begin, directory.size);
  if (directory.count > directory.size / entry_size)
    fail(fmt::format("a directory of {} bytes cannot hold {} entries", directory.size,
                     directory.count));
  for (uint64_t i = 0; i < directory.count; ++i) read_entry(rest);
  check_sizes();
}

ZipArchive::Directory ZipArchive::find_directory() const {
  // A comment of at most 65535 bytes may follow the end record.
  const size_t end = bytes_.rfind(end_mark);
  if (end == std::string_view::npos || bytes_.size() - end < end_size)
    fail("it has no directory at its end: the file is cut short");
  const std::string_view record = bytes_.substr(end, end_size);
  if (number_at<uint16_t>(record, 4) != 0 && number_at<uint16_t>(record, 4) != elsewhere16)
    fail("it is one part of several");
  Directory directory{number_at<uint32_t>(record, 16), number_at<uint32_t>(record, 12),
                      number_at<uint16_t>(record, 10)};
  if (end < locator_size || !bytes_.substr(end - locator_size).starts_with(locator_mark))
    return directory;
  const std::string_view end64 =
      part(number_at<uint64_t>(bytes_, end - locator_size + 8), end64_size);
  if (!end64.starts_with(end64_mark)) fail("its zip64 record is not where it should be");
  return {number_at<uint64_t>(end64, 48), number_at<uint64_t>(end64, 40),
          number_at<uint64_t>(end64, 32)};
}

void ZipArchive::read_entry(std::string_view& rest) {
  if (rest.size() < entry_size || !rest.starts_with(entry_mark))
    fail(fmt::format("entry {} of its directory is damaged", entries_.size()));
  const auto name_size = number_at<uint16_t>(rest, 28), extra_size = number_at<uint16_t>(rest, 30),
             comment_size = number_at<uint16_t>(rest, 32);
  const uint64_t whole = entry_size + name_size + extra_size + comment_size;
  if (whole > rest.size()) fail(fmt::format("entry {} is cut short", entries_.size()));
  const std::string entry_name(rest.substr(entry_size, name_size));
  std::string_view wide = zip64_numbers(rest.substr(entry_size + name_size, extra_size));
  const auto number = [&](uint64_t place) -> uint64_t {
    const auto narrow = number_at<uint32_t>(rest, place);
    if (narrow != elsewhere32) return narrow;
    if (wide.size() < 8) fail(fmt::format("'{}' has no zip64 sizes", entry_name));
    const auto value = number_at<uint64_t>(wide, 0);
    wide.remove_prefix(8);
    return value;
  };
  const uint64_t size = number(24), compressed = number(20), header = number(42);
  const auto method = number_at<uint16_t>(rest, 10);
  if ((number_at<uint16_t>(rest, 8) & 1U) != 0) fail(fmt::format("'{}' is encrypted", entry_name));
  if (method == 0 && size != compressed)
    fail(fmt::format("'{}' has {} bytes and is stored in {}", entry_name, size, compressed));
  if (!entries_.emplace(entry_name, Entry{header, size, method}).second)
    fail(fmt::format("'{}' is there twice", entry_name));
  rest.remove_prefix(whole);
}

void ZipArchive::check_sizes() const {
  uint64_t left = bytes_.size();
  for (const auto& [name, entry] : entries_) {
    if (entry.method != 0) continue;
    if (entry.size > left)
      fail(fmt::format("its entries are larger than the file ({} bytes)", bytes_.size()));
    left -= entry.size;
  }
}

std::string_view ZipArchive::at(const std::string& entry) const {
  const auto found = entries_.find(entry);
  if (found == entries_.end())
    throw UserError(fmt::format("{}: it has no '{}'", name_, entry),
                    "copy or download the file again");
  const auto& [header, size, method] = found->second;
  if (method != 0)
    throw UserError(fmt::format("{}: '{}' is compressed (method {}), and torch never compresses",
                                name_, entry, method),
                    "save it with torch.save, and do not pack it again");
  const std::string_view local = part(header, local_size);
  if (!local.starts_with(local_mark)) fail(fmt::format("'{}' is not where it should be", entry));
  const uint64_t before =
      local_size + number_at<uint16_t>(local, 26) + number_at<uint16_t>(local, 28);
  part(header, before);
  return part(header + before, size);
}

}  // namespace scion
