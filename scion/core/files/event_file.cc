#include "scion/core/files/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/protobuf.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using protobuf::bytes_field;
using protobuf::double_field;
using protobuf::find_integer;
using protobuf::float_field;
using protobuf::from_little_endian;
using protobuf::integer_field;
using protobuf::little_endian;

constexpr std::string_view event_prefix = "events.out.tfevents.";
constexpr size_t record_head = 12, record_tail = 4;  // length and its checksum; the data's checksum

// ---- tensorflow.Event --------------------------------------------------------------------------

std::string event_of(int64_t step, const std::string& what) {
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return double_field(1, now) + integer_field(2, step) + what;
}

std::string text_value(const std::string& name, const std::string& text) {
  constexpr int64_t string_type = 7;
  const std::string shape = bytes_field(2, integer_field(1, 1));  // one dimension of size 1
  const std::string tensor =
      integer_field(1, string_type) + bytes_field(2, shape) + bytes_field(8, text);
  const std::string metadata = bytes_field(1, bytes_field(1, "text"));  // the plug-in's name
  return bytes_field(1, name) + bytes_field(8, tensor) + bytes_field(9, metadata);
}

// Event's `step`.
int64_t step_of(std::string_view event) { return find_integer(event, 2); }

std::string framed(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  return length + little_endian(masked_crc32c(length)) + std::string(data) +
         little_endian(masked_crc32c(data));
}

// Drops events written after `last_step`, and the whole file when none of it remains.
void cut_back(const fs::path& path, int64_t last_step) {
  const std::string bytes = read_file(path);
  std::string kept;
  for (const std::string_view record : split_records(bytes))
    if (step_of(record) <= last_step) kept += framed(record);
  if (last_step == 0)
    fs::remove(path);
  else if (kept != bytes)
    write_file(path, kept);
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

uint32_t masked_crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> remainders{};
    for (uint32_t i = 0; i < remainders.size(); ++i) {
      uint32_t remainder = i;
      for (int bit = 0; bit < 8; ++bit)
        remainder = (remainder & 1) != 0 ? remainder >> 1 ^ 0x82F63B78U : remainder >> 1;
      remainders.at(i) = remainder;
    }
    return remainders;
  }();
  uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes)
    crc = table.at((crc ^ static_cast<unsigned char>(c)) & 0xFF) ^ crc >> 8;
  return std::rotr(~crc, 15) + 0xA282EAD8U;
}

std::vector<std::string_view> split_records(std::string_view bytes) {
  std::vector<std::string_view> records;
  while (bytes.size() >= record_head + record_tail) {
    const auto length = from_little_endian<uint64_t>(bytes);
    if (masked_crc32c(bytes.substr(0, 8)) != from_little_endian<uint32_t>(bytes.substr(8)) ||
        length > bytes.size() - record_head - record_tail)
      break;
    const std::string_view data = bytes.substr(record_head, length);
    if (masked_crc32c(data) != from_little_endian<uint32_t>(bytes.substr(record_head + length)))
      break;
    records.push_back(data);
    bytes.remove_prefix(record_head + length + record_tail);
  }
  return records;
}

std::vector<fs::path> event_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (entry.path().filename().string().starts_with(event_prefix)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

EventFile::EventFile(const fs::path& directory, int64_t last_step) {
  make_directories(directory);
  for (const fs::path& file : event_files(directory)) cut_back(file, last_step);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  // TensorBoard reads the files in the order of their names.
  path_ = directory /
          fmt::format("{}{:010}.{}.{:08}", event_prefix, seconds.count(), host_name(), last_step);
  file_.open(path_, std::ios::binary | std::ios::app);
  append(event_of(0, bytes_field(3, "brain.Event:2")));
  constexpr int64_t session_start = 1;
  if (last_step > 0)
    append(event_of(last_step + 1, bytes_field(7, integer_field(1, session_start))));
}

void EventFile::append(const std::string& event) {
  file_ << framed(event) << std::flush;
  if (!file_)
    throw Failure(fmt::format("cannot write {}", path_.string()),
                  "see that the disk has room and that the folder can be written");
}

void EventFile::add_scalars(int64_t step, const std::vector<ScalarPoint>& points) {
  std::string summary;
  for (const ScalarPoint& point : points)
    summary += bytes_field(1, bytes_field(1, point.tag) + float_field(2, point.value));
  append(event_of(step, bytes_field(5, summary)));
}

void EventFile::add_text(int64_t step, const std::string& tag, const std::string& text) {
  append(event_of(step, bytes_field(5, bytes_field(1, text_value(tag, text)))));
}

}  // namespace scion
