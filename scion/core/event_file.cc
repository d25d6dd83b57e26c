#include "scion/core/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <optional>

#include "scion/core/error.h"
#include "scion/core/file.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view event_prefix = "events.out.tfevents.";
constexpr size_t record_head = 12, record_tail = 4;  // length and its checksum; the data's checksum

// ---- protocol buffers: a message is a sequence of (field number, wire type, value) -------------

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

template <class T>
T from_little_endian(std::string_view bytes) {
  std::array<char, sizeof(T)> copy{};
  std::copy_n(bytes.begin(), sizeof(T), copy.begin());
  if constexpr (std::endian::native == std::endian::big) std::reverse(copy.begin(), copy.end());
  return std::bit_cast<T>(copy);
}

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string field_key(uint64_t field, uint64_t wire_type) { return varint(field << 3 | wire_type); }

std::string integer_field(uint64_t field, int64_t value) {
  return field_key(field, 0) + varint(static_cast<uint64_t>(value));
}

std::string bytes_field(uint64_t field, std::string_view bytes) {
  return field_key(field, 2) + varint(bytes.size()) + std::string(bytes);
}

std::string double_field(uint64_t field, double value) {
  return field_key(field, 1) + little_endian(value);
}

std::string float_field(uint64_t field, double value) {
  return field_key(field, 5) + little_endian(static_cast<float>(value));
}

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

std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// Event's `step`; 0 where it is left out.
int64_t step_of(std::string_view event) {
  while (const auto key = take_varint(event)) {
    uint64_t length = 0;
    switch (*key & 7) {
      case 0: {
        const auto value = take_varint(event);
        if (*key >> 3 == 2 && value) return static_cast<int64_t>(*value);
        break;
      }
      case 1:
        length = 8;
        break;
      case 2:
        length = take_varint(event).value_or(event.size());
        break;
      default:
        length = 4;
    }
    event.remove_prefix(std::min<size_t>(length, event.size()));
  }
  return 0;
}

std::string framed(std::string_view data) {
  const std::string length = little_endian(static_cast<uint64_t>(data.size()));
  return length + little_endian(masked_crc32c(length)) + std::string(data) +
         little_endian(masked_crc32c(data));
}

// Drops what was written after `last_step`, and files that hold nothing else.
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

EventFile::EventFile(const fs::path& directory, int64_t last_step) {
  make_directories(directory);
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (entry.path().filename().string().starts_with(event_prefix)) files.push_back(entry.path());
  for (const fs::path& file : files) cut_back(file, last_step);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  // Readers take the files in the order of their names.
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
