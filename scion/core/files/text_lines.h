// Text files: the one way in for lists, tables and transcripts that others wrote.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace scion {

/// `bytes` of a file as text, without a byte order mark. UserError when they are a Git LFS pointer,
/// gzipped, UTF-16 or binary. Whether they are UTF-8 is left to check_line() or check_text().
std::string_view text_of_bytes(std::string_view bytes, const std::filesystem::path& path);
std::string_view text_of_bytes(std::string&& bytes, const std::filesystem::path& path) = delete;

/// UserError that begins with `where` when a line is not UTF-8.
void check_line(std::string_view line, const std::string& where);

/// UserError with the line when a text is not UTF-8.
void check_text(std::string_view text, const std::filesystem::path& path);

/// A text file as a whole: in UTF-8, without a byte order mark. UserError as above.
std::string read_text(const std::filesystem::path& path);

/// UserError when the bytes of a file, or its first ones, are a Git LFS pointer.
void refuse_lfs_pointer(std::string_view bytes, const std::filesystem::path& path);

/// The lines of a text file, which may be gzipped, one after the other: in UTF-8, without byte
/// order mark and line ends (LF, CRLF). UserError with the line when the file is no such text, is
/// cut short or cannot be read.
class TextLines {
 public:
  explicit TextLines(const std::filesystem::path& path);
  ~TextLines();
  TextLines(const TextLines&) = delete;
  TextLines& operator=(const TextLines&) = delete;

  /// The next line; false after the last one.
  bool next(std::string& line);
  /// The number of the line that next() gave last, from 1.
  size_t number() const { return number_; }
  /// "path:line" of that line.
  std::string where() const;

 private:
  struct Stream;
  bool fill();

  std::filesystem::path path_;
  std::unique_ptr<Stream> stream_;
  size_t number_ = 0;
};

}  // namespace scion
