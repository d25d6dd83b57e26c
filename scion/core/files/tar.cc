#include "scion/core/files/tar.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string_view>

#include "scion/core/error.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr size_t tar_block = 512;
constexpr uint64_t longest_extension = uint64_t{1} << 20;
constexpr uint64_t no_size = ~uint64_t{0};
using TarBlock = std::array<char, tar_block>;

/// A field of a header up to its first zero byte.
std::string_view header_text(const TarBlock& block, size_t begin, size_t length) {
  const std::string_view field(block.data() + begin, length);
  return field.substr(0, field.find('\0'));
}

/// An octal number, or a binary one where the highest bit is set (GNU, above 8 GiB).
uint64_t header_number(const TarBlock& block, size_t begin, size_t length) {
  uint64_t number = 0;
  if ((static_cast<unsigned char>(block[begin]) & 0x80U) != 0) {
    for (size_t i = begin + 1; i < begin + length; ++i)
      number = number << 8U | static_cast<unsigned char>(block[i]);
    return number;
  }
  for (size_t i = begin; i < begin + length; ++i)
    if (block[i] >= '0' && block[i] <= '7') number = number * 8 + uint64_t(block[i] - '0');
  return number;
}

bool has_right_sum(const TarBlock& block) {
  constexpr size_t sum_begin = 148, sum_length = 8;
  uint64_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= sum_begin && i < sum_begin + sum_length;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum == header_number(block, sum_begin, sum_length);
}

}  // namespace

struct TarReader::Stream {
  gzFile file = nullptr;
};

TarReader::TarReader(const fs::path& path)
    : path_(path), stream_(std::make_unique<Stream>()), long_size_(no_size) {
  stream_->file = fs::is_directory(path) ? nullptr : gzopen(path.c_str(), "rbe");
  if (stream_->file == nullptr) throw UserError("cannot read " + path.string(), "check the name");
}

TarReader::~TarReader() { gzclose(stream_->file); }

void TarReader::fail(const std::string& what) const {
  throw UserError(path_.string() + " " + what, "copy the archive again");
}

void TarReader::read_exactly(char* bytes, size_t count) {
  const int got = gzread(stream_->file, bytes, static_cast<unsigned>(count));
  if (got < 0 || static_cast<size_t>(got) < count) fail("is cut short or broken");
}

void TarReader::skip(uint64_t count) {
  std::array<char, size_t{1} << 16> bytes;
  for (; count > 0; count -= std::min<uint64_t>(count, bytes.size()))
    read_exactly(bytes.data(), static_cast<size_t>(std::min<uint64_t>(count, bytes.size())));
}

bool TarReader::read_header(char& type) {
  TarBlock block;
  const int got = gzread(stream_->file, block.data(), unsigned{tar_block});
  if (got == 0) return false;
  if (got != int{tar_block}) fail("is cut short or broken");
  if (std::all_of(block.begin(), block.end(), [](char c) { return c == '\0'; })) return false;
  if (!has_right_sum(block)) fail("is no tar archive, or damaged");
  name_ = header_text(block, 0, 100);
  const std::string_view prefix = header_text(block, 345, 155);
  if (header_text(block, 257, 5) == "ustar" && block[262] == '\0' && !prefix.empty())
    name_ = fmt::format("{}/{}", prefix, name_);
  size_ = header_number(block, 124, 12);
  if (size_ > no_size - tar_block) fail("is damaged: the size of a file");
  type = block[156];
  return true;
}

/// Records "length key=value\n".
void TarReader::read_pax(const std::string& records) {
  for (std::string_view rest = records; !rest.empty();) {
    size_t length = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto digits = static_cast<size_t>(stop - rest.data());
    if (error != std::errc() || length > rest.size() || length < digits + 2)
      fail("is damaged: an extended header");
    const std::string_view record = rest.substr(digits + 1, length - digits - 2);
    rest.remove_prefix(length);
    if (record.starts_with("path=")) long_name_ = record.substr(5);
    if (record.starts_with("size="))
      std::from_chars(record.data() + 5, record.data() + record.size(), long_size_);
  }
}

bool TarReader::next() {
  skip(unread_);
  skip(padding_);
  unread_ = padding_ = 0;
  for (char type = 0; read_header(type);) {
    const bool extension = type == 'x' || type == 'L';
    if (!extension && long_size_ != no_size) size_ = std::exchange(long_size_, no_size);
    if (size_ > no_size - tar_block) fail("is damaged: the size of a file");
    unread_ = size_;
    padding_ = (tar_block - size_ % tar_block) % tar_block;
    if (type == '0' || type == '\0' || type == '7') {
      if (!long_name_.empty()) name_ = std::exchange(long_name_, {});
      return true;
    }
    if (extension) {
      const std::string content = text(longest_extension);
      if (type == 'x')
        read_pax(content);
      else
        long_name_ = content.substr(0, content.find('\0'));
    } else if (type != 'g') {
      long_name_.clear();  // of a folder or a link
    }
    skip(unread_);
    skip(padding_);
    unread_ = padding_ = 0;
  }
  return false;
}

std::string TarReader::text(uint64_t most) {
  if (unread_ > most) fail(fmt::format("has a text of {} bytes: {}", unread_, name_));
  // Memory is taken as bytes come: the header may lie about their number.
  constexpr uint64_t piece = uint64_t{16} << 20;
  std::string content;
  for (; unread_ > 0; unread_ -= std::min(unread_, piece)) {
    const size_t before = content.size();
    content.resize(before + static_cast<size_t>(std::min(unread_, piece)));
    read_exactly(content.data() + before, content.size() - before);
  }
  return content;
}

void TarReader::copy_to(const fs::path& file) {
  std::ofstream stream(file, std::ios::binary);
  std::array<char, size_t{1} << 16> bytes;
  while (unread_ > 0 && stream) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(unread_, bytes.size()));
    read_exactly(bytes.data(), count);
    stream.write(bytes.data(), static_cast<std::streamsize>(count));
    unread_ -= count;
  }
  stream.close();
  if (!stream)
    throw Failure("cannot write " + file.string(), "is there space left, and may it be written?");
}

}  // namespace scion
