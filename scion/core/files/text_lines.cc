#include "scion/core/files/text_lines.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <system_error>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/foreign_text.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr size_t block_size = size_t{1} << 16;
constexpr auto utf16_hint = "convert it: iconv -f utf16 -t utf8 FILE > NEW";

void refuse_utf16(std::string_view bytes, const std::string& where) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF"))
    throw UserError(where + " is UTF-16, not UTF-8", utf16_hint);
}

}  // namespace

void refuse_lfs_pointer(std::string_view bytes, const fs::path& path) {
  if (bytes.starts_with("version https://git-lfs"))
    throw UserError(path.string() + " is a Git LFS pointer, not the file itself",
                    "fetch the file: git lfs pull");
}

std::string_view text_of_bytes(std::string_view bytes, const fs::path& path) {
  refuse_lfs_pointer(bytes, path);
  if (bytes.starts_with("\x1F\x8B"))
    throw UserError(path.string() + " is gzipped", "unpack it: gunzip -k FILE");
  refuse_utf16(bytes, path.string());
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  return bytes;
}

void check_line(std::string_view line, const std::string& where) {
  const size_t valid = utf8_prefix_length(line);
  if (valid < line.size())
    throw UserError(
        fmt::format("{}: not UTF-8 from byte {} on: {}", where, valid + 1,
                    printable(line.substr(valid - std::min<size_t>(valid, 12), 24))),
        "convert the file: iconv -f latin1 -t utf8 FILE > NEW, with the encoding that it is in; "
        "files whose names it lists have to be renamed as well");
  if (line.find('\0') != std::string_view::npos)
    throw UserError(where + ": a byte 0: the file is UTF-16, or no text", utf16_hint);
}

void check_text(std::string_view text, const fs::path& path) {
  const bool is_text =
      utf8_prefix_length(text) == text.size() && text.find('\0') == std::string_view::npos;
  for (size_t number = 1; !is_text && !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    check_line(line, fmt::format("{}:{}", path.string(), number));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

std::string read_text(const fs::path& path) {
  const std::string bytes = read_file(path);
  const std::string_view text = text_of_bytes(bytes, path);
  check_text(text, path);
  return std::string(text);
}

struct TextLines::Stream {
  gzFile file = nullptr;
  std::string block;  // what was read
  size_t at = 0;      // and how much of it was given
};

TextLines::TextLines(const fs::path& path) : path_(path), stream_(std::make_unique<Stream>()) {
  if (fs::is_directory(path))
    throw UserError("cannot read " + path.string() + ": Is a directory", "name a file");
  stream_->file = gzopen(path.c_str(), "rbe");
  if (stream_->file == nullptr)
    throw UserError(
        fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(errno)),
        "check the name");
  try {
    fill();
    stream_->at = stream_->block.size() - text_of_bytes(stream_->block, path).size();
  } catch (...) {
    gzclose(stream_->file);
    throw;
  }
}

TextLines::~TextLines() { gzclose(stream_->file); }

bool TextLines::fill() {
  stream_->block.resize(block_size);
  stream_->at = 0;
  const int got = gzread(stream_->file, stream_->block.data(), unsigned{block_size});
  stream_->block.resize(static_cast<size_t>(std::max(got, 0)));
  int status = Z_OK;
  const char* message = gzerror(stream_->file, &status);
  if (got <= 0 && status != Z_OK && status != Z_STREAM_END)
    throw UserError(fmt::format("{} is cut short or broken: {}", path_.string(), message),
                    "copy the file again");
  return got > 0;
}

bool TextLines::next(std::string& line) {
  line.clear();
  bool any = false, ended = false;
  while (!ended && (stream_->at < stream_->block.size() || fill())) {
    any = true;
    const size_t begin = stream_->at;
    const size_t end = stream_->block.find('\n', begin);
    ended = end != std::string::npos;
    line.append(stream_->block, begin, (ended ? end : stream_->block.size()) - begin);
    stream_->at = ended ? end + 1 : stream_->block.size();
  }
  if (!any) return false;
  ++number_;
  if (line.ends_with('\r')) line.pop_back();
  if (utf8_prefix_length(line) < line.size() || line.find('\0') != std::string::npos)
    check_line(line, where());
  return true;
}

std::string TextLines::where() const { return fmt::format("{}:{}", path_.string(), number_); }

}  // namespace scion
