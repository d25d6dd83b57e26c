// Tar archives, written for tests.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace scion {

/// A header block in ustar's format, and the content.
inline std::string tar_member(const std::string& name, std::string_view content, char type = '0') {
  constexpr size_t block = 512;
  std::string header(block, '\0');
  header.replace(0, name.size(), name);
  header.replace(124, 11, fmt::format("{:011o}", content.size()));
  header.replace(148, 8, "        ");
  header[156] = type;
  header.replace(257, 5, "ustar");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  std::string member = header + std::string(content);
  member.resize((member.size() + block - 1) / block * block);
  return member;
}

/// The blocks that end an archive.
inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace scion
