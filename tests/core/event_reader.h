// Reads the scalars of event files, independently of what writes them.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "scion/core/files/event_file.h"
#include "scion/core/files/file.h"

namespace scion {

struct ProtobufField {
  uint64_t number = 0, integer = 0;  ///< integer: of wire types 0, 1 and 5
  std::string bytes;                 ///< of wire type 2
};

/// The fields of a message, in their order; little-endian machines only.
inline std::vector<ProtobufField> protobuf_fields(const std::string& message) {
  std::vector<ProtobufField> fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    int shift = 0;
    uint64_t byte = 0;
    do {
      byte = static_cast<unsigned char>(message.at(at++));
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte >= 128);
    return value;
  };
  while (at < message.size()) {
    const uint64_t key = varint();
    ProtobufField field{key >> 3, 0, ""};
    if (key % 8 == 0) field.integer = varint();
    if (key % 8 == 2) {
      const uint64_t length = varint();
      field.bytes = message.substr(at, length);
      at += length;
    }
    if (const size_t size = key % 8 == 1 ? 8 : key % 8 == 5 ? 4 : 0; size > 0) {
      std::memcpy(&field.integer, message.data() + at, size);
      at += size;
    }
    fields.push_back(field);
  }
  return fields;
}

/// "step tag value" of every scalar, in the order in which TensorBoard reads.
inline std::vector<std::string> read_points(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("events.out.tfevents."))
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> points;
  for (const auto& file : files) {
    const std::string bytes = read_file(file);
    for (const std::string_view record : split_records(bytes)) {
      uint64_t step = 0;
      for (const ProtobufField& field : protobuf_fields(std::string(record))) {
        if (field.number == 2) step = field.integer;
        if (field.number != 5) continue;
        for (const ProtobufField& value : protobuf_fields(field.bytes)) {
          const auto parts = protobuf_fields(value.bytes);
          if (parts.at(1).number == 2)
            points.push_back(
                fmt::format("{} {} {}", step, parts.at(0).bytes,
                            std::bit_cast<float>(static_cast<uint32_t>(parts.at(1).integer))));
        }
      }
    }
  }
  return points;
}

}  // namespace scion
