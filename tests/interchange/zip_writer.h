// Zip archives and pickles made in tests, byte by byte.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scion/core/files/protobuf.h"

namespace scion::testing {

/// A zip archive of stored entries, as torch writes it; with `wide`, sizes and places are in zip64
/// records.
inline std::string zip_of(const std::vector<std::pair<std::string, std::string>>& entries,
                          bool wide = false) {
  const auto number = [](auto value) { return protobuf::little_endian(value); };
  const uint32_t elsewhere = 0xffffffff;
  std::string zip, directory;
  for (const auto& [name, content] : entries) {
    const auto size = static_cast<uint32_t>(content.size());
    const auto name_size = number(static_cast<uint16_t>(name.size()));
    const std::string extra = wide ? number(uint16_t{1}) + number(uint16_t{24}) +
                                         number(uint64_t{size}) + number(uint64_t{size}) +
                                         number(uint64_t{zip.size()})
                                   : "";
    directory += "PK\x01\x02" + std::string(16, '\0') + number(wide ? elsewhere : size) +
                 number(wide ? elsewhere : size) + name_size +
                 number(static_cast<uint16_t>(extra.size())) + std::string(10, '\0') +
                 number(wide ? elsewhere : static_cast<uint32_t>(zip.size()));
    directory.append(name).append(extra);
    zip += "PK\x03\x04" + std::string(14, '\0') + number(size) + number(size) + name_size +
           number(uint16_t{0});
    zip.append(name).append(content);
  }
  const uint64_t begin = zip.size(), count = entries.size();
  zip += directory;
  if (wide) {
    const uint64_t end = zip.size();
    zip += "PK\x06\x06" + number(uint64_t{44}) + std::string(12, '\0') + number(count) +
           number(count) + number(uint64_t{directory.size()}) + number(begin);
    zip += "PK\x06\x07" + std::string(4, '\0') + number(end) + number(uint32_t{1});
  }
  const auto count16 = number(wide ? uint16_t{0xffff} : static_cast<uint16_t>(count));
  return zip + "PK\x05\x06" + std::string(4, '\0') + count16 + count16 +
         number(wide ? elsewhere : static_cast<uint32_t>(directory.size())) +
         number(wide ? elsewhere : static_cast<uint32_t>(begin)) + std::string(2, '\0');
}

inline std::string pickled(const std::string& text) {
  return "X" + protobuf::little_endian(static_cast<uint32_t>(text.size())) + text;
}
inline std::string pickled(int32_t number) { return "J" + protobuf::little_endian(number); }
inline std::string pickled(const std::vector<int32_t>& numbers) {
  std::string items = "(";
  for (const int32_t number : numbers) items += pickled(number);
  return items + "t";
}

/// The call that makes a tensor: a view of `count` floats of storage `key`.
inline std::string pickled_tensor(const std::string& key, int32_t count, int32_t offset,
                                  const std::vector<int32_t>& sizes,
                                  const std::vector<int32_t>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled("storage") + "ctorch\nFloatStorage\n" +
         pickled(key) + pickled("cpu") + pickled(count) + "tQ" + pickled(offset) + pickled(sizes) +
         pickled(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}

}  // namespace scion::testing
