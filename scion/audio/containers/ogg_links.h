// The streams of an Ogg file that follow each other.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "scion/audio/containers/bytes.h"

namespace scion {

/// Place of a stream in the file: from its first page to the one that ends it. Files may be joined
/// to a chain of such links (RFC 3533, section 4).
struct OggLink {
  size_t begin = 0, end = 0;
};

bool is_ogg(Bytes bytes);

/// UserError naming `path`: a page is not whole, has a wrong checksum or is missing, or the last
/// one does not end its stream.
std::vector<OggLink> read_ogg_links(Bytes bytes, const std::filesystem::path& path);

}  // namespace scion
