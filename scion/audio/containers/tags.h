// Tags that are put around and between the frames of compressed audio: ID3, APE, Lyrics3.
#pragma once

#include <cstddef>
#include <span>

namespace scion {

/// Bytes of the tag that begins at `at`; 0: none that ends within the file.
size_t tag_bytes(std::span<const std::byte> bytes, size_t at);

/// The file up to the tags at its end.
std::span<const std::byte> without_last_tags(std::span<const std::byte> bytes);

}  // namespace scion
